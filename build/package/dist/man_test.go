package main

import "testing"

func TestHelpMarkdown(t *testing.T) {
	tests := []struct{ name, help, want string }{
		{"a paragraph", "Print *.mil names.\nSend nothing.\n", "Print \\*\\.mil names\\.\nSend nothing\\.\n\n"},
		{"the usage", "Usage: lookalike rpz [-all]\n                     [-o FILE]\n       lookalike rpz -h\n",
			"~~~\nlookalike rpz [-all]\n              [-o FILE]\nlookalike rpz -h\n~~~\n\n"},
		{"two columns", "Flags:\n  -all     also block\n           the others\n  -o FILE  write\n",
			"**Flags\\:**\n\n**\\-all**\n: also block\nthe others\n\n**\\-o FILE**\n: write\n\n"},
		{"the second below the first", "Examples:\n  lookalike list\n      what is protected\n",
			"**Examples\\:**\n\n**lookalike list**\n: what is protected\n\n"},
		{"no second", "Examples:\n  lookalike help\n  lookalike list\n", "**Examples\\:**\n\n~~~\nlookalike help\nlookalike list\n~~~\n\n"},
		{"a list in the second", "Flags:\n  -format F  text, or json:\n               name   as\n                      given\n               class\n             Both sort.\n",
			"**Flags\\:**\n\n**\\-format F**\n: text, or json\\:  \n• *name*: as\ngiven  \n• class  \nBoth sort\\.\n\n"},
		{"columns without a title", "  postfix  its log\n", "**postfix**\n: its log\n\n"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			if got := helpMarkdown(tc.help); got != tc.want {
				t.Errorf("Got\n%q, want\n%q", got, tc.want)
			}
		})
	}
}

func TestPluginPage(t *testing.T) {
	tests := []struct{ name, readme, want string }{
		{"title and name", "# rpz\n\n## Name\n\n*rpz* - serves *names*.\n", "\n## NAME\n\ncoredns-rpz - serves *names*.\n"},
		{"a section and one below it", "## See Also\n### The spool\n", "## SEE ALSO\n### The spool\n"},
		{"a table", "| a | b | c |\n|---|---|---|\n| `1` | 2 \\| 3 | 4 |\n| 5 | | 6 |\n",
			"`1`\n: *b*: 2 | 3  \n  *c*: 4\n\n5\n: *c*: 6\n\n"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			if got := pluginPage("rpz", tc.readme); got != tc.want {
				t.Errorf("Got\n%q, want\n%q", got, tc.want)
			}
		})
	}
}
