package main

import (
	"embed"
	"flag"
	"fmt"
	"strings"
)

//go:embed help
var helpTexts embed.FS

// helpText returns the help of a command: the file of its name in help/.
func helpText(command string) string {
	text, err := helpTexts.ReadFile("help/" + strings.ReplaceAll(command, " ", "-") + ".txt")
	if err != nil {
		panic(err) // go build had no such file
	}
	return string(text)
}

var helpCommand = command{
	name:    "help",
	summary: "print this help, or the help of a command",
	help:    helpText("help"),
	flags:   func(*flag.FlagSet) action { return printHelp },
}

func printHelp(e *env, args []string) (int, error) {
	if len(args) == 0 {
		fmt.Fprint(e.stdout, usage())
		return exitNothing, nil
	}
	return run(e, append(args, "-help")), nil
}

// usage is the help for a user who knows no command.
func usage() string {
	return "lookalike finds domain names that resemble protected ones under a confusable TLD.\n\n" +
		"Usage: lookalike COMMAND [ARGUMENT...]\n\nCommands:\n" + summaries("") +
		"\nTry:\n  lookalike check army.ml\n  lookalike help check\n"
}

// groupHelp is the help of a word that several commands begin with, or empty.
func groupHelp(word string) string {
	list := summaries(word + " ")
	if list == "" {
		return ""
	}
	return fmt.Sprintf("Usage: lookalike %s COMMAND [ARGUMENT...]\n\nCommands:\n%s\n'lookalike help %s COMMAND' says more.\n", word, list, word)
}

// summaries lists the commands that begin with prefix.
func summaries(prefix string) string {
	var b strings.Builder
	for _, c := range commands {
		if strings.HasPrefix(c.name, prefix) {
			fmt.Fprintf(&b, "  %-12s %s\n", c.name, c.summary)
		}
	}
	return b.String()
}
