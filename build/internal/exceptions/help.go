package exceptions

// ListHelp is the help of 'allow list'.
const ListHelp = `List the exceptions of a Corefile: the names of its allow lines and files.

Usage: lookalike allow list [FLAGS]

Flags:
  -conf COREFILE     default: Corefile in this directory
  -expiring DAYS     only exceptions that end within this time (30d), or have
                     ended
  -unused DAYS       only exceptions that have let no query pass for this time
                     (90d). The server records the days of use in the spool
                     directory of the directive.
  -format text|json  text (default) is valid as an allow file. json is one
                     object per line: name, source, until, owner, reason,
                     ticket, added, clients, classes, directive, state,
                     first_use, last_use, days_used (null if unknown)
  -help              print this help

Exit status:
  0  no exceptions to list
  1  at least one
  2  wrong usage, an unreadable Corefile or list, no record of uses for -unused

Example, for cron:
  lookalike allow list -conf /etc/coredns/Corefile -expiring 14d
`

// AddHelp is the help of 'allow add'.
const AddHelp = `Add an exception to an allow file.

Usage: lookalike allow add NAME [FLAGS] FILE

allow add appends a line to FILE, with today as the value of "added", and keeps
all other lines. It replaces the file in one step and keeps its mode and owner;
a running server loads the change. If the server would refuse the line, or if
the name is protected or already listed, nothing changes.

Flags:
  -until DAY       the last day, in UTC (2027-03-31), or a time (RFC 3339)
  -owner TEXT      the person or team to ask
  -reason TEXT     the reason for the exception
  -ticket TEXT     the ticket of the request
  -clients LIST    only for these addresses and CIDRs, separated by commas
  -class LIST      only for these classes, separated by commas
  -conf COREFILE   obey the requirements of its allow line for FILE, and refuse
                   names that its directives protect. Without the flag, refuse
                   the names of the built-in list.
  -help            print this help

Exit status:
  0  the exception is added
  2  the exception is not added

Example:
  lookalike allow add bank.ml -until 2027-03-31 -owner mail-team@example.net \
      -reason "pension payments" /etc/coredns/partners.txt
`

// RemoveHelp is the help of 'allow remove'.
const RemoveHelp = `Remove an exception from an allow file.

Usage: lookalike allow remove NAME FILE

allow remove deletes and prints each line that lists exactly this name, and
keeps all other lines. It replaces the file in one step and keeps its mode and
owner.

Exit status:
  0  the exception is removed
  2  the name is not listed in FILE, or FILE cannot be replaced
`
