package exceptions

// ListHelp is the help of 'allow list'.
const ListHelp = `List the exceptions of a Corefile: the names of its allow lines and files.

Usage: lookalike allow list [FLAGS]

Flags:
  -conf COREFILE     default: Corefile in this directory
  -expiring DAYS     only what ends within so many days (30d), or has ended
  -unused DAYS       only what has let nothing pass for so many days (90d). The
                     server keeps the days of use in the directory of the
                     directive's spool; they are read there.
  -format text|json  text (default) can be read as an allow file. json is one
                     object a line: name, source, until, owner, reason, ticket,
                     added, clients, classes, directive, state, first_use,
                     last_use, days_used (null where that is not known)
  -help              print this help

Exit status:
  0  there is none to list
  1  there is at least one
  2  wrong usage, an unreadable Corefile or list, no record of uses for -unused

Example, for cron:
  lookalike allow list -conf /etc/coredns/Corefile -expiring 14d
`

// AddHelp is the help of 'allow add'.
const AddHelp = `Add an exception to an allow file.

Usage: lookalike allow add NAME [FLAGS] FILE

A line is written at the end of FILE, with today as the day when it was added;
all others stay as they are. The file is replaced in one step, with its mode and
owner, and a server that runs takes the change. Nothing is changed where the
server would refuse the line, or the name is protected or listed already.

Flags:
  -until DAY       the last day, in UTC (2027-03-31), or a time (RFC 3339)
  -owner TEXT      whom to ask
  -reason TEXT     why
  -ticket TEXT     where it was asked for
  -clients LIST    only for these addresses and CIDRs, with commas between them
  -class LIST      only for these classes, with commas between them
  -conf COREFILE   keep to what its allow line for FILE requires, and refuse
                   what its directives protect. Without the flag, the names of
                   the built-in list are refused.
  -help            print this help

Exit status:
  0  the exception is added
  2  it is not

Example:
  lookalike allow add bank.ml -until 2027-03-31 -owner mail-team@example.net \
      -reason "pension payments" /etc/coredns/partners.txt
`

// RemoveHelp is the help of 'allow remove'.
const RemoveHelp = `Remove an exception from an allow file.

Usage: lookalike allow remove NAME FILE

Each line that lists just this name is taken out, and printed; all others stay
as they are. The file is replaced in one step, with its mode and owner.

Exit status:
  0  the exception is removed
  2  the name is not listed in FILE, or FILE cannot be replaced
`
