package lookalike

// Version is the version of the plugin, as the server's -version and the
// alerts' observer.version show it.
const Version = "1.0.0"
