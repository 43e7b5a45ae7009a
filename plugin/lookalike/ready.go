package lookalike

// Ready implements ready.Readiness. The lists are compiled before the server
// starts, so the plugin is ready when it is asked; whether a receiver of alerts
// is up does not matter to DNS.
func (l *Lookalike) Ready() bool { return true }
