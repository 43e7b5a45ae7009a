package main

import (
	"fmt"
	"regexp"
	"strings"
)

// toolPage returns the help texts of all commands of a `lookalike` as a manual
// page in Markdown.
func toolPage(tool string) (string, error) {
	overview, err := output(tool, "help")
	if err != nil {
		return "", err
	}
	about, rest, _ := strings.Cut(overview, "\n")
	var b strings.Builder
	fmt.Fprintf(&b, "## NAME\n\nlookalike - %s\n\n## SYNOPSIS\n\n**lookalike** *COMMAND* [*ARGUMENT*...]\n\n## DESCRIPTION\n\n%s\n\n## COMMANDS\n\n",
		plain(strings.TrimSuffix(strings.TrimPrefix(about, "lookalike "), ".")), plain(about))
	commands := commandLine.FindAllStringSubmatch(rest, -1)
	if commands == nil {
		return "", fmt.Errorf("%s help lists no commands", tool)
	}
	for _, c := range commands {
		help, err := output(tool, append(strings.Fields(c[1]), "-help")...)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "### lookalike %s\n\n%s\n", c[1], helpMarkdown(help))
	}
	b.WriteString("## SEE ALSO\n\n**coredns-lookalike**(7), **coredns-smtpreject**(7), **coredns-rpz**(7)\n")
	return b.String(), nil
}

var (
	commandLine = regexp.MustCompile(`(?m)^  (\w+(?: \w+)?)  +\S.*$`)
	sectionLine = regexp.MustCompile(`^(\w[\w ,]*):$`)
	special     = regexp.MustCompile("[\\\\`*_{}\\[\\]()#+\\-.!:|&<>~^]")
)

// plain returns text in which Markdown finds nothing.
func plain(text string) string { return special.ReplaceAllString(text, `\$0`) }

// helpMarkdown returns a help text in Markdown: paragraphs, the lines of the
// usage as they are, and what stands in two columns as a list.
func helpMarkdown(help string) string {
	var b strings.Builder
	for block := range strings.SplitSeq(strings.Trim(help, "\n"), "\n\n") {
		lines := strings.Split(block, "\n")
		switch {
		case strings.HasPrefix(lines[0], "Usage: "):
			fmt.Fprintf(&b, "~~~\n%s\n~~~\n\n", strings.ReplaceAll(strings.TrimPrefix(block, "Usage: "), "\n       ", "\n"))
		case strings.HasPrefix(lines[0], "  "):
			list(&b, lines)
		case sectionLine.MatchString(lines[0]) && len(lines) > 1:
			fmt.Fprintf(&b, "**%s**\n\n", plain(lines[0]))
			list(&b, lines[1:])
		default:
			fmt.Fprintf(&b, "%s\n\n", plain(block))
		}
	}
	return b.String()
}

// list writes lines in two columns as a list of terms: a term, and behind it or
// below it, indented, what it means. Where no term has a meaning, they are code.
func list(b *strings.Builder, lines []string) {
	var terms []string
	meanings := make([][]string, len(lines)) // of each term
	column := 80
	for _, line := range lines {
		if indent(line) > 2 {
			meanings[len(terms)-1] = append(meanings[len(terms)-1], line)
			column = min(column, indent(line))
			continue
		}
		term, meaning, two := strings.Cut(strings.TrimSpace(line), "  ")
		terms = append(terms, term)
		if two {
			meaning = strings.TrimSpace(meaning)
			at := len(line) - len(meaning)
			meanings[len(terms)-1] = []string{strings.Repeat(" ", at) + meaning}
			column = min(column, at)
		}
	}
	if column == 80 {
		fmt.Fprintf(b, "~~~\n%s\n~~~\n\n", strings.Join(terms, "\n"))
		return
	}
	for i, term := range terms {
		fmt.Fprintf(b, "**%s**\n: %s\n\n", plain(term), meaning(meanings[i], column))
	}
}

// meaning returns the lines that explain a term. Those that are indented further
// than the column are a list in it, with one item a line.
func meaning(lines []string, column int) string {
	const newLine = "  \n"
	var b strings.Builder
	item := 0 // where an item of the inner list begins, or 0
	for i, line := range lines {
		at, text := indent(line), plain(strings.TrimSpace(line))
		switch {
		case i == 0:
		case at > column && (item == 0 || at == item):
			item = at
			b.WriteString(newLine + "• ")
			if term, rest, two := strings.Cut(text, "  "); two {
				text = "*" + term + "*: " + strings.TrimSpace(rest)
			}
		case at == column && item > 0:
			item = 0
			b.WriteString(newLine)
		default:
			b.WriteString("\n")
		}
		b.WriteString(text)
	}
	return b.String()
}

func indent(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }
