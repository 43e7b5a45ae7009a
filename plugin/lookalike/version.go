package lookalike

import (
	"cmp"
	"runtime/debug"
)

// release is the version that make build sets, as build/package/version prints it.
var release string

// Version is the version of the plugin, as the server's -version and the
// alerts' observer.version show it. A server that others build with the plugin
// shows the version of its Go module, and one built without make "devel".
var Version = cmp.Or(release, moduleVersion(), "devel")

// moduleVersion returns the version of this module where it is a dependency of
// the program, or nothing.
func moduleVersion() string {
	info, _ := debug.ReadBuildInfo()
	if info == nil {
		return ""
	}
	for _, m := range info.Deps {
		if m.Path == "github.com/lookalike-dns/lookalike" {
			return m.Version
		}
	}
	return ""
}
