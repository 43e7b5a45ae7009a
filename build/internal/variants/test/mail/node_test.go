//go:build e2e && linux

package mail

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/test/wait"
)

// The addresses of the internet. Exim takes no private ones for a mail
// exchange, so they are those of RFC 5737.
const (
	network       = "198.51.100."
	authority     = network + "10" // for every zone
	goodAddress   = network + "20" // takes mail for everybody but lookalikes
	trapAddress   = network + "30" // takes mail for everything under ml
	firstResolver = 40             // and those after it
	firstNode     = 100
)

const nodeName = "mx.example.net"

func addAddress(addr string) error { return run("ip", "addr", "add", addr+"/24", "dev", "net") }

// install makes the image of a server: an overlay of the host's root in which
// its packages are installed and configured.
func install(s server, dir string) error {
	cache, err := filepath.Abs(filepath.Join(cacheDir, s.name))
	if err != nil {
		return err
	}
	script := `set -e
mount --make-rprivate /
mkdir -p "$D/image" "$D/work" "$D/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$D/image,workdir=$D/work" "$D/root"
` + furnish + `
mkdir -p "$R/var/cache/apt/archives"
# Copied, not mounted: some hosts' apt clears the directory after each run.
for f in "$CACHE"/*.deb; do test ! -e "$f" || cp "$f" "$R/var/cache/apt/archives"; done
printf '#!/bin/sh\nexit 101\n' >"$R/usr/sbin/policy-rc.d"
chmod 755 "$R/usr/sbin/policy-rc.d"
hostname ` + nodeName + `
echo ` + nodeName + ` >"$R/etc/mailname"
printf '127.0.0.1 ` + nodeName + ` mx localhost\n' >"$R/etc/hosts"
rm -f "$R/etc/resolv.conf"
printf 'nameserver 127.0.0.1\n' >"$R/etc/resolv.conf"
chroot "$R" apt-get install -q -y --no-download --no-install-recommends -o APT::Sandbox::User=root -o Dpkg::Use-Pty=0 ` + strings.Join(s.packages, " ") + `
chroot "$R" /bin/sh -c "$CONFIGURE"
`
	ctx, cancel := context.WithTimeout(context.Background(), preparation)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", script)
	cmd.Env = append(os.Environ(), "D="+filepath.Join(dir, s.name), "CACHE="+cache, "CONFIGURE=set -e\n"+s.configure,
		"DEBIAN_FRONTEND=noninteractive", "LC_ALL=C")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWUTS,
		Pdeathsig:  syscall.SIGKILL,
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := runLocked(cmd); err != nil {
		return fmt.Errorf("installing %s: %w\n%s", s.name, err, out.Bytes())
	}
	return nil
}

// furnish gives the root $D/root the mounts that programs expect, and calls it
// $R. No device of the host but the harmless ones is there.
const furnish = `
R=$D/root
mount -t proc proc "$R/proc"
mount -t tmpfs -o mode=755 dev "$R/dev"
for d in null zero full random urandom; do touch "$R/dev/$d"; mount --bind "/dev/$d" "$R/dev/$d"; done
ln -s /proc/self/fd "$R/dev/fd"
ln -s fd/0 "$R/dev/stdin"; ln -s fd/1 "$R/dev/stdout"; ln -s fd/2 "$R/dev/stderr"
mkdir "$R/dev/shm"
mount -t tmpfs -o mode=1777 tmp "$R/tmp"
ip link set lo up
`

// runLocked runs a command whose life depends on that of the thread which
// started it.
func runLocked(cmd *exec.Cmd) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return cmd.Run()
}

// node is a host of the lab that runs one mail server in its own root and
// namespaces.
type node struct {
	t       *testing.T
	server  server
	address string
	pid     int // of its init, as the lab sees it
	root    string
}

var nodes atomic.Int64

// boot starts a host whose only name server is resolver. It is gone when the
// test ends, with everything that runs on it.
func boot(t *testing.T, s server, resolver string) *node {
	t.Helper()
	number := nodes.Add(1)
	lab := os.Getenv(insideVar)
	n := &node{t: t, server: s, address: network + strconv.FormatInt(firstNode+number, 10)}
	if firstNode+number > 254 {
		t.Fatal("The network of the lab has no address left")
	}
	dir := filepath.Join(lab, fmt.Sprintf("node%d", number))
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	script := `set -e
mount --make-rprivate /
mkdir "$D/image" "$D/work" "$D/root"
mount -t overlay overlay -o "lowerdir=$IMAGE:/,upperdir=$D/image,workdir=$D/work" "$D/root"
` + furnish + `
hostname ` + nodeName + `
echo ready
exec chroot "$R" sleep infinity
`
	cmd := exec.Command("/bin/sh", "-c", script)
	cmd.Env = append(os.Environ(), "D="+dir, "IMAGE="+filepath.Join(lab, s.name, "image"))
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC,
	}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill() // the init of a PID namespace takes everything with it
		cmd.Wait()
	})
	stuck := time.AfterFunc(wait.Limit, func() { cmd.Process.Kill() })
	defer stuck.Stop()
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Fatalf("The node did not start: %q", line)
	}
	n.pid = cmd.Process.Pid
	n.root = fmt.Sprintf("/proc/%d/root", n.pid)
	n.connect(number)
	n.useResolver(resolver, "")
	return n
}

// connect plugs the node into the bridge of the lab.
func (n *node) connect(number int64) {
	n.t.Helper()
	port, pid := fmt.Sprintf("node%d", number), strconv.Itoa(n.pid)
	for _, command := range [][]string{
		{"ip", "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", pid},
		{"ip", "link", "set", port, "master", "net", "up"},
		{"nsenter", "-t", pid, "-n", "ip", "addr", "add", n.address + "/24", "dev", "eth0"},
		{"nsenter", "-t", pid, "-n", "ip", "link", "set", "eth0", "up"},
	} {
		if err := run(command[0], command[1:]...); err != nil {
			n.t.Fatal(err)
		}
	}
}

// useResolver writes the node's resolv.conf.
func (n *node) useResolver(resolver, more string) {
	n.t.Helper()
	n.write("/etc/resolv.conf", "nameserver "+resolver+"\n"+more)
}

func (n *node) write(file, contents string) {
	n.t.Helper()
	if err := os.WriteFile(n.root+file, []byte(contents), 0o644); err != nil {
		n.t.Fatal(err)
	}
}

// command is a command on the node.
func (n *node) command(ctx context.Context, args ...string) *exec.Cmd {
	args = append([]string{"-t", strconv.Itoa(n.pid), "-m", "-p", "-n", "-u", "-i", "-r", "-w", "--"}, args...)
	cmd := exec.CommandContext(ctx, "nsenter", args...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "HOME=/root"}
	return cmd
}

// run runs a shell script on the node and returns what it printed.
func (n *node) run(script string) string {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	out, err := n.command(ctx, "/bin/sh", "-c", script).CombinedOutput()
	if err != nil {
		n.t.Fatalf("%s: %s: %v\n%s", n.server.name, script, err, out)
	}
	return string(out)
}

// send hands a message to the mail server, as a program on the host does.
func (n *node) send(sender, recipient, body string) {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	cmd := n.command(ctx, "/usr/sbin/sendmail", "-f", sender, recipient)
	cmd.Stdin = strings.NewReader(fmt.Sprintf("From: <%s>\nTo: <%s>\nSubject: test\n\n%s\n", sender, recipient, body))
	if out, err := cmd.CombinedOutput(); err != nil {
		n.t.Errorf("%s: sending to %s: %v\n%s", n.server.name, recipient, err, out)
	}
}

// deferred reports whether the server has tried to send a message to recipient
// and keeps it.
func (n *node) deferred(recipient string) bool {
	n.t.Helper()
	pattern := regexp.MustCompile(strings.ReplaceAll(n.server.deferral, "RECIPIENT", regexp.QuoteMeta(recipient)))
	return pattern.MatchString(n.run(n.server.queue + "; " + n.server.log))
}
