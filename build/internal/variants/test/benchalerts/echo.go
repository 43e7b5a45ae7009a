package main

import (
	"bufio"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"github.com/miekg/dns"
)

// echo answers queries with themselves until the process is killed. What is
// late here is no server's fault.
func echo() error {
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return err
	}
	fmt.Println(conn.LocalAddr())
	for b := make([]byte, dns.MaxMsgSize); ; {
		n, from, err := conn.ReadFromUDPAddrPort(b)
		if err != nil {
			return err
		}
		_, _ = conn.WriteToUDPAddrPort(b[:n], from) // one that is lost is seen as such
	}
}

// startEcho runs echo in a process of its own, as the servers are.
func startEcho() (addr netip.AddrPort, stop func(), err error) {
	program, err := os.Executable()
	if err != nil {
		return addr, nil, err
	}
	cmd := exec.Command(program, "-echo")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return addr, nil, err
	}
	if err := cmd.Start(); err != nil {
		return addr, nil, err
	}
	stop = func() {
		_ = cmd.Process.Kill() // fails where it has ended
		_ = cmd.Wait()
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err == nil {
		addr, err = netip.ParseAddrPort(strings.TrimSpace(line))
	}
	if err != nil {
		stop()
	}
	return addr, stop, err
}
