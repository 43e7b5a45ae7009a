package lookalike

import (
	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"

	"github.com/lookalike-dns/lookalike/plugin/internal/port"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert"
)

const pluginName = "lookalike"

func init() { plugin.Register(pluginName, setup) }

// setup reads and compiles everything that the directives name, and starts
// nothing: a bad list fails here, and the instance that runs goes on.
func setup(c *caddy.Controller) error {
	config := dnsserver.GetConfig(c)
	policies, err := parse(&c.Dispenser, config.Root)
	if err != nil {
		return plugin.Error(pluginName, err)
	}
	e := engineOf(c)
	for _, p := range policies {
		if len(c.ServerBlockKeys) > 0 {
			p.block = c.ServerBlockKeys[0]
		}
		keys := c.ServerBlockKeys
		p.listeners = func() ([]string, string) { return listeners(keys, config.ListenHosts), config.ViewName }
		if err := p.load(); err != nil {
			return plugin.Error(pluginName, err)
		}
		e.policies = append(e.policies, p)
		if err := checkSpools(e.policies); err != nil {
			return plugin.Error(pluginName, err)
		}
	}
	c.OnStartup(func() error {
		if err := port.Check(c.ServerBlockKeys, config.ListenHosts); err != nil {
			return plugin.Error(pluginName, err)
		}
		return nil
	})
	config.AddPlugin(func(next plugin.Handler) plugin.Handler {
		return &Lookalike{Next: next, policies: policies}
	})
	return nil
}

// checkSpools refuses directives that cannot share a spool.
func checkSpools(policies []*Policy) error {
	configs := make([]alert.Config, len(policies))
	for i, p := range policies {
		configs[i] = p.alerts
	}
	return alert.CheckSpools(configs...)
}
