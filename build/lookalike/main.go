// Command lookalike is the companion of the lookalike plugin of CoreDNS: it
// says what the plugin makes of a name and of a Corefile, and works with its
// alerts.
package main

import (
	"io"
	"log"
	"os"
)

// Exit statuses of every command.
const (
	exitNothing     = 0   // nothing found, or all well
	exitFound       = 1   // something found
	exitError       = 2   // wrong usage, unreadable input, failed output
	exitInterrupted = 130 // ended by a signal, as shells report SIGINT
)

// commands are in the order of the help.
var commands []*command

func init() {
	commands = []*command{
		&checkCommand,
		&confCommand,
		&listCommand,
		&variantsCommand,
		&rpzCommand,
		&auditCommand,
		&reportCommand,
		&consoleCommand,
		&allowListCommand,
		&allowAddCommand,
		&allowRemoveCommand,
		&alertTestCommand,
		&alertTailCommand,
		&versionCommand,
		&helpCommand,
	}
}

// env is a command's access to the outside world.
type env struct {
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
}

func main() {
	log.SetFlags(0) // for messages of the plugin while it reads a Corefile
	os.Exit(run(&env{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}, os.Args[1:]))
}
