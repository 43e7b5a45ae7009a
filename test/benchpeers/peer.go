package main

import (
	"embed"
	"syscall"

	"github.com/lookalike-dns/lookalike/test/harness"
)

// peer is a server to measure: what runs, the list that it blocks by, and how it takes
// another one. Its configuration names the list, the file {DIR}/list.
type peer struct {
	name    string
	version []string         // prints its version; none: it is another row's
	server  harness.Resolver // with its files
	list    form
	command []string       // the command that has it read the list again,
	signal  syscall.Signal // or the signal; with neither, it looks itself
}

// key is what the programs sign with that control a server; it protects nothing.
const key = "NoTCJU+DMqFWywaPyxSijrDEA/eC3nK0xi3AMEZuPVk="

// ours is the name of our server in the tables.
const ours = "lookalike"

// peers are the servers. Each has one worker, validates nothing, keeps answers in a
// cache, and forwards to the same server. BIND logs each query that it blocks unless told
// otherwise, lookalike alerts, and the others say nothing. What controls it is at the same port of
// 127.0.0.2.
func peers(coredns string) []peer {
	return []peer{{
		name:    ours,
		version: []string{coredns, "-version"},
		server:  program(coredns, "Corefile", "-conf", "{DIR}/conf"),
		list:    protected,
	}, {
		name:    "BIND",
		version: []string{"named", "-V"},
		server:  with(harness.BIND(harness.BINDOptions+conf("named.conf")), "rndc.conf"),
		list:    zoneFile,
		command: []string{"rndc", "-c", "{DIR}/rndc.conf", "reload", origin},
	}, {
		name:    "BIND, silent",
		server:  with(silent(harness.BIND(harness.BINDOptions+conf("named.conf")+conf("named-silent.conf"))), "rndc.conf"),
		list:    zoneFile,
		command: []string{"rndc", "-c", "{DIR}/rndc.conf", "reload", origin},
	}, {
		name:    "Unbound",
		version: []string{"unbound", "-V"},
		server:  harness.Unbound(harness.UnboundServer + conf("unbound.conf")),
		list:    zoneFile,
		command: []string{"unbound-control", "-c", "{DIR}/conf", "auth_zone_reload", origin},
	}, {
		name:    "PowerDNS Recursor",
		version: []string{"pdns_recursor", "--version"},
		server:  with(harness.Recursor(harness.RecursorSettings+conf("recursor.conf")), "rpz.lua"),
		list:    zoneFile,
		command: []string{"rec_control", "--config-dir={DIR}", "--socket-dir={DIR}", "reload-lua-config"},
	}, {
		name:    "Knot Resolver",
		version: []string{"kresd", "-V"},
		server:  program("kresd", "kresd.conf", "-n", "-c", "{DIR}/conf", "{DIR}"),
		list:    zoneFile,
	}, {
		name:    "dnsdist",
		version: []string{"dnsdist", "--version"},
		server:  program("dnsdist", "dnsdist.conf", "--supervised", "--disable-syslog", "-C", "{DIR}/conf"),
		list:    nameLines,
		command: []string{"dnsdist", "-C", "/dev/null", "-k", key, "-c", "127.0.0.2:{PORT}", "-e", "loadList()"},
	}, {
		name:    "dnsmasq",
		version: []string{"dnsmasq", "-v"},
		server:  program("dnsmasq", "dnsmasq.conf", "--keep-in-foreground", "-C", "{DIR}/conf"),
		list:    serverLines,
		signal:  syscall.SIGHUP,
	}}
}

//go:embed conf
var confs embed.FS

// conf is a file of the directory conf.
func conf(name string) string {
	text, err := confs.ReadFile("conf/" + name)
	if err != nil {
		panic(err) // it is part of the program
	}
	return string(text)
}

// program is a server with a configuration of the directory conf.
func program(path, file string, args ...string) harness.Resolver {
	return harness.Resolver{Program: path, Args: args, Files: map[string]string{"conf": conf(file)}}
}

// with adds a file of the directory conf.
func with(r harness.Resolver, name string) harness.Resolver {
	r.Files[name] = conf(name)
	return r
}

// silent has BIND follow its configuration in what it logs, which it does not where it
// runs in the foreground for a person to read along.
func silent(r harness.Resolver) harness.Resolver {
	r.Args[0] = "-f"
	return r
}
