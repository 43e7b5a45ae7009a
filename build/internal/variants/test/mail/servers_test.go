//go:build e2e && linux

package mail

// server is a mail server as Debian packages it.
type server struct {
	name      string
	packages  []string
	configure string // shell, in the image
	start     string // shell, on a node
	queue     string // shell that lists the queue with its recipients
	log       string // shell that shows the log
	deferral  string // pattern in queue or log of a message that is kept after a try; RECIPIENT stands for its recipient
}

var servers = []server{postfix, exim, opensmtpd, sendmail}

var postfix = server{
	name:     "postfix",
	packages: []string{"postfix"},
	configure: `
cp -n /usr/share/postfix/main.cf.debian /etc/postfix/main.cf 2>/dev/null || touch /etc/postfix/main.cf
postconf -e myhostname=` + nodeName + ` mydestination=` + nodeName + ` inet_interfaces=all \
  mynetworks='127.0.0.0/8 ` + network + `0/24' relayhost= alias_maps= maillog_file=/var/log/mail.log smtpd_use_tls=no
postconf -F '*/*/chroot=n'
`,
	start:    "postfix start",
	queue:    "postqueue -p",
	log:      "cat /var/log/mail.log",
	deferral: `to=<RECIPIENT>,.* status=deferred`,
}

var exim = server{
	name:     "exim",
	packages: []string{"exim4-daemon-heavy"},
	configure: `
cat >/etc/exim4/update-exim4.conf.conf <<END
dc_eximconfig_configtype='internet'
dc_other_hostnames='` + nodeName + `'
dc_local_interfaces='127.0.0.1'
dc_readhost=''
dc_relay_domains=''
dc_minimaldns='false'
dc_relay_nets=''
dc_smarthost=''
CFILEMODE='644'
dc_use_split_config='false'
dc_hide_mailname=''
dc_mailname_in_oh='true'
dc_localdelivery='mail_spool'
END
printf 'MAIN_TRUSTED_USERS = root\n' >/etc/exim4/exim4.conf.localmacros
update-exim4.conf
`,
	start:    "exim4 -bd -q30m",
	queue:    "exim4 -bp",
	log:      "cat /var/log/exim4/mainlog",
	deferral: `== RECIPIENT .* defer `,
}

var opensmtpd = server{
	name:     "opensmtpd",
	packages: []string{"opensmtpd"},
	configure: `
cat >/etc/smtpd.conf <<END
listen on 127.0.0.1
action "outbound" relay
match from local for any action "outbound"
END
`,
	start:    "smtpd -dv >/var/log/smtpd.log 2>&1 & for i in $(seq 100); do smtpctl show stats >/dev/null 2>&1 && exit 0; sleep 0.1; done; exit 1",
	queue:    "smtpctl show queue",
	log:      "cat /var/log/smtpd.log",
	deferral: `to=<RECIPIENT>.* result="TempFail"`,
}

var sendmail = server{
	name:     "sendmail",
	packages: []string{"sendmail"},
	// A message that comes before the daemon listens waits for the next run of the queue.
	start:    "sendmail -bd -q10m; until bash -c '</dev/tcp/127.0.0.1/25' 2>/dev/null; do sleep 0.1; done",
	queue:    "mailq",
	log:      "true", // it only has syslog
	deferral: `\([^()]*(\([^()]*\))?[^()]*\)\s+RECIPIENT\s`,
}
