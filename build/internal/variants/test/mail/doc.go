// Package mail runs real mail servers in a small internet of network
// namespaces, behind the real resolver, and sends mail through them.
//
// The tests start themselves again in namespaces of their own, so nothing is
// left behind: when the inner process ends, the kernel ends everything that it
// started, and mounts and network devices go with it. On the host only Debian
// packages are downloaded, into build/bin; they are installed in the lab.
package mail
