// Command coredns is CoreDNS with the plugins that a mail resolver needs and
// the lookalike guard.
package main

import (
	"log"
	"os/signal"
	"syscall"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"
	_ "github.com/coredns/coredns/plugin/acl"
	_ "github.com/coredns/coredns/plugin/any"
	_ "github.com/coredns/coredns/plugin/auto"
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/bufsize"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/cancel"
	_ "github.com/coredns/coredns/plugin/chaos"
	_ "github.com/coredns/coredns/plugin/debug"
	_ "github.com/coredns/coredns/plugin/dnstap"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/file"
	_ "github.com/coredns/coredns/plugin/forward"
	_ "github.com/coredns/coredns/plugin/header"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/hosts"
	_ "github.com/coredns/coredns/plugin/loadbalance"
	_ "github.com/coredns/coredns/plugin/local"
	_ "github.com/coredns/coredns/plugin/log"
	_ "github.com/coredns/coredns/plugin/loop"
	_ "github.com/coredns/coredns/plugin/metadata"
	_ "github.com/coredns/coredns/plugin/metrics"
	_ "github.com/coredns/coredns/plugin/minimal"
	_ "github.com/coredns/coredns/plugin/multisocket"
	_ "github.com/coredns/coredns/plugin/nsid"
	_ "github.com/coredns/coredns/plugin/pprof"
	_ "github.com/coredns/coredns/plugin/proxyproto"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/reload"
	_ "github.com/coredns/coredns/plugin/rewrite"
	_ "github.com/coredns/coredns/plugin/secondary"
	_ "github.com/coredns/coredns/plugin/shed"
	_ "github.com/coredns/coredns/plugin/template"
	_ "github.com/coredns/coredns/plugin/timeouts"
	_ "github.com/coredns/coredns/plugin/tls"
	_ "github.com/coredns/coredns/plugin/transfer"
	_ "github.com/coredns/coredns/plugin/tsig"
	_ "github.com/coredns/coredns/plugin/view"
	_ "github.com/coredns/coredns/plugin/whoami"

	"github.com/lookalike-dns/lookalike/plugin/lookalike"
	_ "github.com/lookalike-dns/lookalike/plugin/rpz"
	_ "github.com/lookalike-dns/lookalike/plugin/smtpreject"
)

// directives is the plugin chain, outermost first, in upstream's order.
// lookalike comes after acl and rewrite, so that it sees the name that will be
// resolved. It comes before cache, so that no cached answer hides a query from
// it. rpz stands there, too: a cached SOA would keep secondaries from a new zone.
// smtpreject answers no query, so it is out of the way at the end.
var directives = []string{
	"metadata", "cancel", "proxyproto", "timeouts", "multisocket", "reload",
	"nsid", "bufsize", "bind", "debug",
	"ready", "health", "pprof", "shed", "prometheus", "errors", "log", "dnstap",
	"local", "any", "chaos", "loadbalance", "tsig",
	"rewrite", "acl",
	"lookalike", "rpz",
	"cache", "header", "tls", "minimal", "template", "transfer", "hosts",
	"file", "auto", "secondary",
	"loop", "forward", "whoami", "view",
	"smtpreject",
}

func main() {
	// The log goes to standard output. If its reader ends, DNS must go on.
	signal.Ignore(syscall.SIGPIPE)
	if err := dnsserver.SetDirectives(directives); err != nil {
		log.Fatal(err)
	}
	caddy.AppVersion += "+lookalike-" + lookalike.Version
	coremain.Run()
}
