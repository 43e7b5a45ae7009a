package detect

import (
	"slices"
	"strings"
	"sync"
	"testing"
)

// short writes a verdict as class, confidence and "protected→did you mean" for
// every match, best first; no match is empty.
func short(v *Verdict, ok bool) string {
	if !ok {
		return ""
	}
	words := []string{v.Class.String(), v.Confidence.String()}
	for _, m := range v.Matches {
		if m.DidYouMean == m.Protected {
			words = append(words, m.Protected)
		} else {
			words = append(words, m.Protected+"→"+m.DidYouMean)
		}
	}
	return strings.Join(words, " ")
}

type row struct{ qname, want string }

func testRows(t *testing.T, x *Index, rows []row) {
	t.Helper()
	for _, tt := range rows {
		v, ok := x.Match(tt.qname)
		if got := short(v, ok); got != tt.want {
			t.Errorf("Match(%q) = %q, want %q", tt.qname, got, tt.want)
		}
	}
}

// TestFloors has both sides of every floor of every class, for protected
// labels of 1 to 9 letters.
func TestFloors(t *testing.T) {
	x := mustNew(t, "q.mil", "af.mil", "dia.mil", "army.mil", "socom.mil", "dodiis.mil", "centcom.mil", "stratcom.mil", "southcomx.mil",
		"d.er.mil", "us.af.mil", "a.bx.mil")
	testRows(t, x, []row{
		// tld-swap: any length.
		{"q.ml", "tld-swap high q.mil"},
		{"af.ml", "tld-swap high af.mil"},
		{"army.ml", "tld-swap high army.mil"},
		{"stratcom.ml", "tld-swap high stratcom.mil"},
		// tld-kept: any length.
		{"q.mil.ml", "tld-kept high q.mil"},
		{"qmil.ml", "tld-kept high q.mil"},
		{"q-mil.ml", "tld-kept high q.mil"},
		{"afmil.ml", "tld-kept high af.mil"},
		{"whatever.mil.ml", "tld-kept high mil→whatever.mil"},
		{"xmil.ml", ""},
		// idn-homoglyph: high from 3, medium at 2.
		{"ԛ.ml", ""},
		{"аf.ml", "idn-homoglyph medium af.mil"},
		{"diа.ml", "idn-homoglyph high dia.mil"},
		{"аrmy.ml", "idn-homoglyph high army.mil"},
		// separator: joined from 4.
		{"der.ml", ""},
		{"d-er.ml", ""},
		{"abx.ml", ""},
		{"usaf.ml", "separator high us.af.mil"},
		{"us-af.ml", "separator high us.af.mil"},
		// homoglyph: high from 3, medium at 2.
		{"9.ml", ""},
		{"0.ml", ""},
		{"d1a.ml", "homoglyph high dia.mil"},
		{"arrny.ml", "homoglyph high army.mil"},
		// homoglyph by weak glyphs: high from 5, medium at 4, low at 3.
		{"4f.ml", ""},
		{"bia.ml", "homoglyph low dia.mil"},
		{"di4.ml", "homoglyph low dia.mil"},
		{"ciia.ml", "homoglyph low dia.mil"},
		{"4rmy.ml", "homoglyph medium army.mil"},
		{"5ocom.ml", "homoglyph high socom.mil"},
		{"anmy.ml", "homoglyph medium army.mil"},
		{"soeom.ml", "homoglyph high socom.mil"},
		// typo: transposition and repetition from 3, high from 5.
		{"fa.ml", ""},
		{"aff.ml", ""},
		{"ida.ml", "typo medium dia.mil"},
		{"diia.ml", "typo medium dia.mil"},
		{"amry.ml", "typo medium army.mil"},
		{"armyy.ml", "typo medium army.mil"},
		{"scoom.ml", "typo high socom.mil"},
		{"soccom.ml", "typo high socom.mil"},
		// typo: omission and adjacent key from 4; with a letter less, high from 6.
		{"da.ml", ""},
		{"dis.ml", ""},
		{"amy.ml", "typo medium army.mil"},
		{"srmy.ml", "typo medium army.mil"},
		{"socm.ml", "typo medium socom.mil"},
		{"dodis.ml", "typo high dodiis.mil"},
		{"sicom.ml", "typo high socom.mil"},
		// typo: a letter two places away, a held key, a key beside it, from 4.
		{"iad.ml", ""},
		{"diaaa.ml", ""},
		{"diaz.ml", ""},
		{"amyr.ml", "typo medium army.mil"},
		{"yarm.ml", ""},
		{"armyyy.ml", "typo medium army.mil"},
		{"arrrrmy.ml", "typo medium army.mil"},
		{"armyu.ml", "typo medium army.mil"},
		{"socmo.ml", "typo high socom.mil"},
		{"csoom.ml", "typo high socom.mil"},
		{"socommm.ml", "typo high socom.mil"},
		{"socomn.ml", "typo high socom.mil"},
		// split: medium from 5; low at 4.
		{"di-a.ml", ""},
		{"d.ia.ml", ""},
		{"a-rmy.ml", "split low army.mil"},
		{"ar.my.ml", "split low army.mil"},
		{"so-com.ml", "split medium socom.mil"},
		{"so.com.ml", ""}, // com.ml is a public suffix
		{"soc.om.ml", "split medium socom.mil"},
		// edit: high from 6, medium at 5, low at 4 but for words.
		{"diap.ml", ""},
		{"arxmy.ml", "edit low army.mil"},
		{"arvy.ml", "edit low army.mil"},
		{"airy.ml", ""}, // a word
		{"sokom.ml", "edit medium socom.mil"},
		{"socoms.ml", "edit medium socom.mil"},
		{"dodiip.ml", "edit high dodiis.mil"},
		{"dodpiis.ml", "edit high dodiis.mil"},
		{"centcoms.ml", "edit high centcom.mil"},
		// combosquat: from 4 with a separator, from 5 without.
		{"dia-mail.ml", ""},
		{"army-mail.ml", "combosquat medium army.mil"},
		{"us-army.ml", "combosquat medium army.mil"},
		{"armymail.ml", ""},
		{"socommail.ml", "combosquat medium socom.mil"},
		{"ussocom.ml", "combosquat medium socom.mil"},
		{"secure-army-login.ml", "combosquat medium army.mil"},
		// embedding: any length before mil, low from 4 without.
		{"q.mil.example.ml", "embedding medium q.mil"},
		{"af-mil.example.ml", "embedding medium af.mil"},
		{"dia.example.ml", ""},
		{"join-dia.ml", ""},
		{"army.example.ml", "embedding low army.mil"},
		{"indian-army.ml", "embedding low army.mil"},
		{"afmil.example.ml", "embedding medium af.mil"},
		{"indianarmy.ml", ""},
		{"socom.example.ml", "embedding low socom.mil"},
		{"join-socom.ml", "embedding low socom.mil"},
		// embedding: run together from 7.
		{"xdodiisx.ml", ""},
		{"centcomxyz.ml", "embedding low centcom.mil"},
		{"joincentcom.ml", "embedding low centcom.mil"},
		// double-typo: low from 7.
		{"doidsi.ml", ""},
		{"cnetcmo.ml", "double-typo low centcom.mil"},
		{"srtatcmo.ml", "double-typo low stratcom.mil"},
		{"sotuhcomz.ml", "double-typo low southcomx.mil"},
		// double-typo by a fold, or a dot or hyphen: high from 8, medium from 5.
		{"arnyy.ml", ""},
		{"amnry.ml", ""},
		{"s0cmo.ml", "double-typo medium socom.mil"},
		{"s0comm.ml", "double-typo medium socom.mil"},
		{"cemtc0m.ml", "double-typo medium centcom.mil"},
		{"srtatc0m.ml", "double-typo high stratcom.mil"},
		{"strat-cmo.ml", "double-typo medium stratcom.mil"},
	})
}

// TestGenericHosts has protected names that begin with a label that hosts of
// all kinds carry: it is no evidence.
func TestGenericHosts(t *testing.T) {
	x := mustNew(t, "www.ai.mil", "mail.ng.mil", "portal.usmc.mil", "www.centcom.mil", "www.southcomx.mil")
	testRows(t, x, []row{
		{"www.ai.ml", "tld-swap high www.ai.mil"},
		{"wwwaimil.ml", "tld-kept high www.ai.mil"},
		{"wwwai.ml", ""},
		{"www-ai.ml", ""},
		{"www1.ml", ""},
		{"www.a.ml", ""},
		{"www.aj.ml", ""},
		{"wwwwai.ml", ""},
		{"www.a1.ml", "homoglyph medium www.ai.mil"},
		{"www.a-i.ml", ""},
		{"ww.ai.ml", ""},
		{"vvww.ai.ml", "homoglyph medium www.ai.mil"},
		{"x.ww.ai.ml", ""},
		{"www-ai-mail.ml", ""},
		{"x-www-ai.example.ml", ""},
		{"x.www-ai.mil.example.ml", "embedding medium www.ai.mil→x.www.ai.mil"},
		{"mailing.ml", ""},
		{"mial.ng.ml", ""},
		{"portal.uscm.ml", "typo medium portal.usmc.mil"},
		{"www.cetncom.ml", "typo high www.centcom.mil"},
		{"wwwcetncom.ml", "double-typo medium www.centcom.mil"},
		{"wwwcetncmo.ml", ""},
		{"www.sotuhcomz.ml", "double-typo low www.southcomx.mil"},
	})
}

// TestMatches has what does not follow from the floors: several protected
// names, hosts, services, suffixes, combined slips, and what must stay silent.
func TestMatches(t *testing.T) {
	x := mustNew(t, "army.mil", "us.army.mil", "af.mil", "us.af.mil", "navy.mil", "dia.mil", "dla.mil", "mail.mil", "login.mil", "dcaa.mil",
		"dcma.mil", "centcom.mil", "defenselink.mil", "erdc.dren.mil", "mail.smil.mil", "aflink-test.mil", "example.co.uk", "army.nl", "mwr.comm.mil")
	testRows(t, x, []row{
		{"ArMy.Ml.", "tld-swap high army.mil army.nl"},
		{"us.af.ml", "tld-swap high us.af.mil af.mil→us.af.mil"},
		{"mx1.us.af.ml", "tld-swap high us.af.mil→mx1.us.af.mil af.mil→mx1.us.af.mil"},
		{"mx.army.ml", "tld-swap high army.mil→mx.army.mil army.nl→mx.army.nl"},
		{"a.b.c.d.e.navy.ml", "tld-swap high navy.mil→a.b.c.d.e.navy.mil"},
		{"example.ml", "tld-swap high example.co.uk"},
		{"www.example.com.ml", "tld-swap high example.co.uk→www.example.co.uk"},
		{"navy.gouv.ml", "tld-swap high navy.mil"},
		{"mail.ml", "tld-swap high mail.mil"},
		{"mail.gouv.ml", "tld-swap low mail.mil"}, // the mail host of gouv.ml itself
		{"mx.login.com.ml", "tld-swap low login.mil→mx.login.mil"},
		{"dia.ml", "tld-swap high dia.mil"},
		{"dla.ml", "tld-swap high dla.mil"},
		{"d1a.ml", "homoglyph high dia.mil dla.mil"},
		{"dcaa.ml", "tld-swap high dcaa.mil"},

		{"_dmarc.navy.ml", "tld-swap high navy.mil"},
		{"_25._tcp.mx.navy.ml", "tld-swap high navy.mil→mx.navy.mil"},
		{"s1._domainkey.nav.ml", "typo medium navy.mil"},
		{"_navy.ml", ""},
		{"navy._x.ml", ""},

		{"army.mi1.ml", "homoglyph high army.mil"},
		{"armyrnil.ml", "homoglyph high army.mil"},
		{"mail.army-mll.ml", "homoglyph high army.mil→mail.army.mil"},
		{"army.mіl.ml", "tld-kept high army.mil"},
		{"host.unlisted.mіl.ml", "tld-kept high mil→host.unlisted.mil"},
		{"host.unlisted.xn--ml-hoc.ml", "tld-kept high mil→host.unlisted.mil"},
		{"unlisted.mll.ml", ""}, // mll.ml may be anybody's
		{"army.m-i1.ml", "embedding low army.mil army.nl"},
		{"navy.mil.ml", "tld-kept high navy.mil"},
		{"mail.navy.mil.ml", "tld-kept high navy.mil→mail.navy.mil"},
		{"navy.mil.com.ml", "tld-kept high navy.mil"},
		{"us.afmil.ml", "tld-kept high us.af.mil af.mil→us.af.mil"},
		{"usafmil.ml", "tld-kept high us.af.mil"},
		{"us-af-mil.ml", "tld-kept high us.af.mil af.mil"},
		{"navu.mil.ml", "tld-kept high navy.mil"},
		{"host.unlisted.mil.ml", "tld-kept high mil→host.unlisted.mil"},
		{"_dmarc.mil.ml", "tld-kept high mil"},
		{"example.co.uk.ml", "tld-kept high example.co.uk"},
		{"examplecouk.ml", "tld-kept high example.co.uk"},
		{"example-co-uk.ml", "tld-kept high example.co.uk"},
		{"navymail.mil.ml", "tld-kept high mil→navymail.mil"},
		{"navu-mil.ml", "typo medium navy.mil"},
		{"milnavy.ml", ""},
		{"mil-navy.ml", "combosquat medium navy.mil"},
		{"mil.ml", "typo medium mail.mil"},
		{"army.nl.ml", "tld-kept high army.nl"},
		{"armynl.ml", "tld-kept high army.nl"},
		{"army.uk.ml", "embedding low army.mil army.nl"}, // uk.ml is anybody's

		{"xn--rmy-5cd.ml", "idn-homoglyph high army.mil army.nl"},
		{"XN--RMY-5CD.ML", "idn-homoglyph high army.mil army.nl"},
		{`\208\176rmy.ml`, "idn-homoglyph high army.mil army.nl"},
		{"xn--rny-5cd.ml", ""},
		{"us.аf.ml", "idn-homoglyph high us.af.mil af.mil→us.af.mil"},
		{"us-аf.ml", ""},
		{"ａｒｍｙ.ml", "idn-homoglyph high army.mil army.nl"},
		{"🅰🆁🅼🆈.ml", "idn-homoglyph high army.mil army.nl"},
		{"🇦🇷🇲🇾.ml", "idn-homoglyph high army.mil army.nl"},
		{"ꭺꭱꮇꭹ.ml", "idn-homoglyph high army.mil army.nl"},
		{"аr\u200bmy.ml", "idn-homoglyph high army.mil army.nl"},
		{"n\u0430\u0301vy.ml", "idn-homoglyph high navy.mil"},
		{"navy.xn--com-x.ml", ""},

		{"usaf.ml", "separator high us.af.mil"},
		{"usarmy.ml", "separator high us.army.mil"},
		{"mx.us-army.ml", "separator high us.army.mil→mx.us.army.mil"},
		{"erdcdren.ml", "separator high erdc.dren.mil"},
		{"mailsmil.ml", "separator high mail.smil.mil"},
		{"aflinktest.ml", "separator high aflink-test.mil"},
		{"aflink.test.ml", "separator high aflink-test.mil"},
		{"aflink_test.ml", "separator high aflink-test.mil"},
		{`us\.af.ml`, "separator high us.af.mil"},
		{"u5af.ml", ""},
		{"clefenslink.ml", "double-typo high defenselink.mil"},
		{"c1efenslink.ml", "double-typo high defenselink.mil"},
		{"ciefenselink.ml", "homoglyph high defenselink.mil"},
		{"ciefenslink.ml", "double-typo high defenselink.mil"},
		{"ci-efenslink.ml", ""},
		{"mwrcornrn.ml", ""}, // three slips
		{"mwr.cornrn.ml", "double-typo medium mwr.comm.mil"},
		{"nnvvr.connrn.ml", "double-typo medium mwr.comm.mil"},
		{"mwnconnn.ml", ""},
		{"usamry.ml", "double-typo medium us.army.mil"},
		{"us.amry.ml", "typo high us.army.mil army.mil→us.army.mil army.nl→us.army.nl"},
		{"cent-cmo.ml", "double-typo medium centcom.mil"},
		{"cent-xom.ml", "double-typo medium centcom.mil"},
		{"cent-pom.ml", "double-typo medium centcom.mil"},
		{"u-s.army.ml", "tld-swap high army.mil→u-s.army.mil army.nl→u-s.army.nl"},
		{"us.a-rmy.ml", "split medium us.army.mil army.mil→us.army.mil army.nl→us.army.nl"},

		{"army-us.ml", "combosquat medium army.mil army.nl"},
		{"us.army-mail.ml", "combosquat medium us.army.mil army.mil→us.army.mil army.nl→us.army.nl"},
		{"arrny-webmail.ml", "combosquat medium army.mil army.nl"},
		{"us.army.mil.sample.ml", "embedding medium us.army.mil army.mil→us.army.mil army.nl→us.army.nl"},

		{"mail-online.ml", "combosquat low mail.mil"}, // words of hosts of all kinds
		{"mail-us.ml", "combosquat medium mail.mil"},

		{"dcsa.ml", "typo medium dcaa.mil"},
		{"nav.ml", "typo medium navy.mil"},
		{"nave.ml", ""},
		{"all.ml", ""}, // two slips
		{"mali.ml", "homoglyph low mail.mil"},
		{"mall.ml", "homoglyph low mail.mil"},
		{"ma1l.ml", "homoglyph high mail.mil"},
		{"arm.ml", "typo low army.mil army.nl"},
		{"login.example.ml", "tld-swap high example.co.uk→login.example.co.uk"},
		{"mail.sample.ml", ""},
		{"login.sample.ml", ""},
		{"gouv.ml", ""},
		{"com.ml", ""},
		{"ml", ""},
		{"ml.", ""},
		{".", ""},
		{"", ""},
		{"army.mil", ""},
		{"army.ml.example.org", ""},
		{`army\.ml`, ""},
		{`army\.ml.`, ""},
		{`x.army\.ml.`, ""},
		{"a..ml", ""},
		{".army.ml", ""},
		{`army.ml\`, ""},
		{`ar\25my.ml`, ""},
		{`ar\256my.ml`, ""},
		{strings.Repeat("a", 64) + ".army.ml", ""},
		{strings.Repeat("a.", 124) + "army.ml", ""},                       // 256 octets
		{strings.Repeat("a.", 123) + "navy.ml", "tld-swap high navy.mil"}, // 255 octets, the name meant would have 256
	})
}

// TestPairsStayInLabels has letters that read as another one, but for the dot
// or hyphen between them.
func TestPairsStayInLabels(t *testing.T) {
	x := mustNew(t, "disa.mil", "darpa.mil", "army.mil", "navair.navy.mil")
	testRows(t, x, []row{
		{"clisa.ml", "homoglyph high disa.mil"},
		{"c.lisa.ml", "edit low disa.mil→c.disa.mil"},
		{"clarpa.ml", "homoglyph high darpa.mil"},
		{"c.larpa.ml", "edit medium darpa.mil→c.darpa.mil"},
		{"arrny.ml", "homoglyph high army.mil"},
		{"arr.ny.ml", ""},
		{"arr-ny.ml", ""},
		{"navairnavy.ml", "separator high navair.navy.mil"},
		{"navaimavy.ml", ""},
	})
}

// TestCommonWords has common words that are one slip from protected names, and
// names that only look like such words.
func TestCommonWords(t *testing.T) {
	x := mustNew(t, "norad.mil", "marne.mil")
	testRows(t, x, []row{
		{"nord.ml", "typo low norad.mil"},
		{"n0rd.ml", ""},
		{"mare.ml", "typo low marne.mil"},
		{"mаrne.ml", "idn-homoglyph high marne.mil"}, // Cyrillic а
	})
}

// TestBareTLD protects every name below a TLD.
func TestBareTLD(t *testing.T) {
	testRows(t, mustNew(t, "mil", "army.mil"), []row{
		{"x.ml", "tld-swap high mil→x.mil"},
		{"www.x.com.ml", "tld-swap high mil→www.x.mil"},
		{"army.ml", "tld-swap high army.mil mil→army.mil"},
		{"mx.army.ml", "tld-swap high army.mil→mx.army.mil mil→mx.army.mil"},
		{"arny.ml", "tld-swap high army.mil mil→arny.mil"},
		{"arm.ml", "tld-swap high mil→arm.mil"},
		{"x.mil.ml", "tld-kept high mil→x.mil"},
		{"army.mil.ml", "tld-kept high army.mil"},
		{"_dmarc.x.ml", "tld-swap high mil→x.mil"},
		{"ml", ""},
		{"com.ml", ""},
		{"_dmarc.ml", ""},
	})
}

// TestOtherTLDs has several lookalike TLDs at once, with suffixes below them.
func TestOtherTLDs(t *testing.T) {
	x, err := New(Config{Protected: []string{"example.com", "mycorp.com", "bank.co.uk", "gouv.fr"}, TLDs: []string{"cm", "co", "om"}})
	if err != nil {
		t.Fatal(err)
	}
	testRows(t, x, []row{
		{"example.cm", "tld-swap high example.com"},
		{"www.EXAMPLE.co", "tld-swap high example.com→www.example.com"},
		{"example.om.", "tld-swap high example.com"},
		{"example.com.cm", "tld-swap high example.com"}, // com.cm is a public suffix
		{"example.com.co", "tld-swap high example.com"},
		{"mycorpcom.cm", "tld-kept high mycorp.com"},
		{"bank.cm", "tld-swap high bank.co.uk"},
		{"bank-co-uk.cm", "tld-kept high bank.co.uk"},
		{"example.com", ""},
		{"example.ml", ""},
	})
}

// TestProtectedIDN protects names that are not ASCII themselves.
func TestProtectedIDN(t *testing.T) {
	testRows(t, mustNew(t, "xn--mnchen-3ya.example", "xn--fiqs8s.example"), []row{
		{"xn--mnchen-3ya.ml", "tld-swap high xn--mnchen-3ya.example"},
		{"münchen.ml", "tld-swap high xn--mnchen-3ya.example"},
		{"mūnchen.ml", "idn-homoglyph high xn--mnchen-3ya.example"},
		{"munchen.ml", "homoglyph high xn--mnchen-3ya.example"},
		{"mumchen.ml", "typo high xn--mnchen-3ya.example"},
		{"xn--fiqs8s.ml", "tld-swap high xn--fiqs8s.example"},
		{"中国.ml", "tld-swap high xn--fiqs8s.example"},
		{"中文.ml", ""},
	})
}

func TestVerdict(t *testing.T) {
	x := mustNew(t, "army.mil", "us.af.mil", "af.mil", "centcom.mil")
	for _, tt := range []struct {
		qname string
		want  Verdict
	}{
		{"_25._TCP.MX.Army.COM.ML.", Verdict{
			Name: "_25._tcp.mx.army.com.ml", Registrable: "army.com.ml", Service: "_25._tcp",
			Reason: `"army.com.ml" resembles army.mil: only the TLD differs`,
		}},
		{"us.af.ml", Verdict{
			Name: "us.af.ml", Registrable: "af.ml",
			Reason: `"us.af.ml" resembles us.af.mil: only the TLD differs`,
		}},
		{"us.afmil.ml", Verdict{
			Name: "us.afmil.ml", Registrable: "afmil.ml",
			Reason: `labels "us.afmil" resemble "us.af" of us.af.mil: the "." after letter 4 is missing; its TLD is kept`,
		}},
		{"x.mil.ml", Verdict{
			Name: "x.mil.ml", Registrable: "mil.ml",
			Reason: `"x.mil.ml" lies under "mil.ml", which resembles the TLD "mil"`,
		}},
		{"xn--rmy-5cd.ml", Verdict{
			Name: "xn--rmy-5cd.ml", Registrable: "xn--rmy-5cd.ml", Unicode: "аrmy.ml",
			Reason: `label "xn--rmy-5cd" resembles "army" of army.mil: "а" reads as "a" at letter 1`,
		}},
		{"ar\u202emy.ml", Verdict{
			Name: `ar\226\128\174my.ml`, Registrable: `ar\226\128\174my.ml`, Unicode: "army.ml",
			Reason: `label "ar\226\128\174my" resembles "army" of army.mil: "rU+202E" reads as "r" at letter 2`,
		}},
		{"us-af.ml", Verdict{
			Name: "us-af.ml", Registrable: "us-af.ml",
			Reason: `label "us-af" resembles "us.af" of us.af.mil: "-" stands for the "." after letter 2`,
		}},
		{"arrny.ml", Verdict{
			Name: "arrny.ml", Registrable: "arrny.ml",
			Reason: `label "arrny" resembles "army" of army.mil: "rn" reads as "m" at letter 3`,
		}},
		{"cemtcom.ml", Verdict{
			Name: "cemtcom.ml", Registrable: "cemtcom.ml",
			Reason: `label "cemtcom" resembles "centcom" of centcom.mil: "m" is typed for "n", a neighbouring key, at letter 3`,
		}},
		{"cetncom.ml", Verdict{
			Name: "cetncom.ml", Registrable: "cetncom.ml",
			Reason: `label "cetncom" resembles "centcom" of centcom.mil: "nt" is typed as "tn" at letter 3`,
		}},
		{"centccom.ml", Verdict{
			Name: "centccom.ml", Registrable: "centccom.ml",
			Reason: `label "centccom" resembles "centcom" of centcom.mil: "c" is typed once more at letter 5`,
		}},
		{"entcom.ml", Verdict{
			Name: "entcom.ml", Registrable: "entcom.ml",
			Reason: `label "entcom" resembles "centcom" of centcom.mil: "c" is left out at letter 1`,
		}},
		{"cen-tcom.ml", Verdict{
			Name: "cen-tcom.ml", Registrable: "cen-tcom.ml",
			Reason: `label "cen-tcom" resembles "centcom" of centcom.mil: a "-" is put in after letter 3`,
		}},
		{"centcoms.ml", Verdict{
			Name: "centcoms.ml", Registrable: "centcoms.ml",
			Reason: `label "centcoms" resembles "centcom" of centcom.mil: "s" is put in after letter 7`,
		}},
		{"my-centcom-mail.ml", Verdict{
			Name: "my-centcom-mail.ml", Registrable: "my-centcom-mail.ml",
			Reason: `label "my-centcom-mail" resembles "centcom" of centcom.mil: "my-" stands beside it; "-mail" stands beside it`,
		}},
		{"centcom-mail.ml", Verdict{
			Name: "centcom-mail.ml", Registrable: "centcom-mail.ml",
			Reason: `label "centcom-mail" resembles "centcom" of centcom.mil: "mail" is added`,
		}},
		{`a\.b\000.army.ml`, Verdict{
			Name: `a\.b\000.army.ml`, Registrable: "army.ml",
			Reason: `"army.ml" resembles army.mil: only the TLD differs`,
		}},
	} {
		v, ok := x.Match(tt.qname)
		if !ok {
			t.Errorf("Match(%q) found nothing", tt.qname)
			continue
		}
		got := Verdict{Name: v.Name, Registrable: v.Registrable, Service: v.Service, Unicode: v.Unicode, Reason: v.Reason}
		if got.Name != tt.want.Name || got.Registrable != tt.want.Registrable || got.Service != tt.want.Service ||
			got.Unicode != tt.want.Unicode || got.Reason != tt.want.Reason {
			t.Errorf("Match(%q) =\n%#v, want\n%#v", tt.qname, got, tt.want)
		}
	}
}

// TestProtectedAreSilent wants every protected name to be the first of its own
// swap, and no swap to be reported as a slip of another one.
func TestProtectedAreSilent(t *testing.T) {
	x := mustNew(t, recallNames...)
	for _, p := range recallNames {
		if v, ok := x.Match(p); ok {
			t.Errorf("Match(%q) = %v", p, v)
		}
		v, ok := x.Match(strings.TrimSuffix(p, "mil") + "ml")
		if !ok || v.Class != TLDSwap || v.Matches[0].Protected != p {
			t.Errorf("the swap of %q is %v", p, v)
		}
	}
}

// TestDidYouMeanFits drops the host part where the name meant would be longer
// than a name can be.
func TestDidYouMeanFits(t *testing.T) {
	protected := strings.Repeat("abcdefghi.", 20) + "army.mil"
	x := mustNew(t, protected)
	qname := strings.Repeat("x.", 20) + strings.ReplaceAll(protected, "army.mil", "army.ml")
	v, ok := x.Match(qname)
	if !ok || v.Matches[0].DidYouMean != strings.Repeat("x.", 20)+protected {
		t.Errorf("Match(%q) = %v", qname, v)
	}
	qname = strings.Repeat("x.", 23) + strings.ReplaceAll(protected, "army.mil", "army.ml")
	v, ok = x.Match(qname)
	if !ok || v.Matches[0].DidYouMean != protected {
		t.Errorf("Match(%q) = %v", qname, v)
	}
}

func TestWatched(t *testing.T) {
	x, err := New(Config{Protected: []string{"army.mil"}, TLDs: []string{"ml", "xn--p1ai"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		qname string
		want  bool
	}{
		{"army.ml", true},
		{"army.ml.", true},
		{"ARMY.ML.", true},
		{"ml", true},
		{"ml.", true},
		{`a\.ml`, false},
		{`a\\.ml`, true},
		{`a\\\.ml.`, false},
		{"aml", false},
		{"army.mil", false},
		{"army.ml.example", false},
		{"army.XN--P1AI", true},
		{"", false},
		{".", false},
	} {
		if got := x.Watched(tt.qname); got != tt.want {
			t.Errorf("Watched(%q) = %v, want %v", tt.qname, got, tt.want)
		}
	}
}

// TestConcurrent matches from several goroutines at once, for the race
// detector.
func TestConcurrent(t *testing.T) {
	x := mustNew(t, recallNames...)
	qnames := []string{"army.ml", "arrny.ml", "example.ml", "us-af.ml", "xn--rmy-5cd.ml", "stratcmo.ml", "x.mil.ml"}
	want := make([]string, 0, len(qnames))
	for _, q := range qnames {
		want = append(want, short(x.Match(q)))
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			got := make([]string, 0, len(qnames))
			for _, q := range qnames {
				got = append(got, short(x.Match(q)))
			}
			if !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
	wg.Wait()
}

// TestSlipsCount has a fold, a glyph, or a dot or hyphen beside another slip: that
// is never graded as one.
func TestSlipsCount(t *testing.T) {
	testRows(t, mustNew(t, "darpa.mil", "health.mil", "cloud.mil", "mail.mil", "us.army.mil", "jointstaff.mil"), []row{
		{"clara.ml", "double-typo medium darpa.mil"},
		{"clarpq.ml", "double-typo medium darpa.mil"},
		{"haith.ml", "double-typo medium health.mil"},
		{"dou.ml", ""},
		{"411.ml", ""},
		{"usamry.ml", "double-typo medium us.army.mil"},
		{"j0intsatff.ml", "double-typo high jointstaff.mil"},
		{"joint-satff.ml", "double-typo medium jointstaff.mil"}, // as a hyphen too many alone
		{"j0int5taff.ml", "homoglyph high jointstaff.mil"},
		{"jo1ntst4fp.ml", ""},
	})
}

// TestAtMost has what keeps a match from being sure.
func TestAtMost(t *testing.T) {
	x := mustNew(t, "tistory.mil", "discover.mil", "team1.mil", "metc.mil", "centcom.mil", "web.mail.mil", "health.mil", "stratcom.mil")
	testRows(t, x, []row{
		{"history.ml", "edit medium tistory.mil"},
		{"discovery.ml", "edit medium discover.mil"},
		{"team2.ml", "typo medium team1.mil"},
		{"team12.ml", "typo medium team1.mil"},
		{"xentcom.ml", "typo medium centcom.mil"},
		{"entcom.ml", "typo medium centcom.mil"},
		{"ccentcom.ml", "typo high centcom.mil"},
		{"metd.gouv.ml", "typo low metc.mil"},
		{"cetncom.edu.ml", "typo low centcom.mil"},
		{"c3ntcom.gov.ml", "homoglyph low centcom.mil"},
		{"centcom.gouv.ml", "tld-swap high centcom.mil"},
		{"centcommil.gouv.ml", "tld-kept high centcom.mil"},
		{"cetncom.com.ml", "typo high centcom.mil"},
		{"webmail.ml", ""},
		{"webmail.gouv.ml", ""},
		{"webmail.sample.ml", ""},
		{"web-mail.ml", ""},
		{"web.mail.ml", "tld-swap high web.mail.mil"},
		{"myhealthy.ml", ""},
		{"mystratcom.ml", "embedding low stratcom.mil"},
	})
}

// TestKeptInHyphens has a protected name with its TLD between hyphens.
func TestKeptInHyphens(t *testing.T) {
	testRows(t, mustNew(t, "army.mil", "af.mil"), []row{
		{"armymil-login.ml", "tld-kept high army.mil"},
		{"login-armymil.ml", "tld-kept high army.mil"},
		{"army-mil-login.ml", "tld-kept high army.mil"},
		{"login-army-mil.ml", "tld-kept high army.mil"},
		{"mx.secure-armymil-login.ml", "tld-kept high army.mil→mx.army.mil"},
		{"afmil-mail.ml", "tld-kept high af.mil"},
		{"armymil-sample.ml", "embedding medium army.mil"},
		{"armymillogin.ml", ""},
	})
}

// TestSuffixesOnBothSides has public suffixes of several labels, of the private
// section too, on either side.
func TestSuffixesOnBothSides(t *testing.T) {
	x, err := New(Config{Protected: []string{"army.mil", "eb.mil.br", "example.co.uk", "sample.github.io"}, TLDs: []string{"ml", "com", "no"}})
	if err != nil {
		t.Fatal(err)
	}
	testRows(t, x, []row{
		{"eb.mil.ml", "tld-swap high eb.mil.br"},
		{"mx.eb.mil.ml", "tld-swap high eb.mil.br→mx.eb.mil.br"},
		{"eb.ml", "tld-swap high eb.mil.br"},
		{"army.mil.ml", "tld-kept high army.mil"},
		{"other.mil.ml", "tld-kept high mil→other.mil"},
		{"example.co.ml", "tld-swap high example.co.uk"},
		{"exmaple.co.ml", "typo high example.co.uk"},
		{"example.ml", "tld-swap high example.co.uk"},
		{"example.co.no", "tld-swap high example.co.uk"}, // co.no is of the private section
		{"army.us.com", "tld-swap high army.mil"},
		{"mx.army.uk.com", "tld-swap high army.mil→mx.army.mil"},
		{"anything.uk.com", ""},
		{"anything.uk.ml", ""},
		{"sample.ml", "tld-swap high sample.github.io"},
	})
}

// TestOwnTLD has lookalikes under the TLD of the protected name.
func TestOwnTLD(t *testing.T) {
	x, err := New(Config{Protected: []string{"example.com", "mail.sample.com", "examp1e.com", "bank.co.uk"}, TLDs: []string{"com", "uk"}})
	if err != nil {
		t.Fatal(err)
	}
	x = x.Sparing(mustNew(t, "exanple.com", "x.exarnple.uk"))
	testRows(t, x, []row{
		{"example.com", ""},
		{"www.example.com", ""},
		{"examp1e.com", ""}, // protected, too
		{"exanple.com", ""}, // by another directive
		{"mx.exanple.com", ""},
		{"exarnple.uk", ""}, // of the same owner
		{"com", ""},
		{"exarnple.com", "homoglyph high example.com examp1e.com"},
		{"examlpe.com", "typo high example.com"},
		{"mx.examlpe.com", "typo high example.com→mx.example.com"},
		{"examplecom.com", "tld-kept high example.com"},
		{"example-mail.com", "combosquat medium example.com examp1e.com"},
		{"example.uk", "tld-swap high example.com"},
		{"example.us.com", "tld-swap high example.com"}, // us.com is a public suffix
		{"example.co.uk", "tld-swap high example.com"},
		{"bank.co.uk", ""},
		{"bamk.co.uk", "typo medium bank.co.uk"},
		{"baxk.co.uk", ""}, // four letters
		{"baxnk.co.uk", "edit low bank.co.uk"},
		{"baxk.com", "edit low bank.co.uk"},
		{"bank.com", "tld-swap high bank.co.uk"},
		{"mial.sample.com", ""}, // of the same owner
		{"mail.sapmle.com", "typo high mail.sample.com"},
		{"other.com", ""},
	})
}

// TestAnyTLD has every TLD as a lookalike TLD.
func TestAnyTLD(t *testing.T) {
	x, err := New(Config{Protected: []string{"example.com", "army.mil", "sample.de"}, TLDs: []string{AnyTLD}})
	if err != nil {
		t.Fatal(err)
	}
	x = x.Sparing(mustNew(t, "example.net"))
	testRows(t, x, []row{
		{"example.com", ""},
		{"mx.example.com", ""},
		{"example.net", ""},
		{"www.example.net", ""},
		{"example.cm", "tld-swap high example.com"},
		{"example.co", "tld-swap high example.com"},
		{"example.om", "tld-swap high example.com"},
		{"example.con", "tld-swap high example.com"},
		{"example.ocm", "tld-swap high example.com"},
		{"example.org", "tld-swap medium example.com"},
		{"www.example.co.uk", "tld-swap medium example.com→www.example.com"},
		{"example.us.com", "tld-swap high example.com"},
		{"army.ml", "tld-swap high army.mil"},
		{"army.fr", "tld-swap medium army.mil"},
		{"arvy.ml", ""}, // four letters
		{"arxmy.ml", "edit low army.mil"},
		{"sample.dk", "tld-swap medium sample.de"},
		{"sample.fe", "tld-swap high sample.de"},
		{"exarnple.com", "homoglyph high example.com"},
		{"exarnple.cm", "homoglyph high example.com"},
		{"exarnple.net", "homoglyph medium example.com"},
		{"example.com.net", "tld-kept high example.com"},
		{"exarnple.edu", "homoglyph low example.com"},
		{"exarnple.gov.uk", "homoglyph low example.com"},
		{"unrelated.org", ""},
		{"localhost", ""},
		{"", ""},
	})
}

// TestRepeatedName lists a protected name twice.
func TestRepeatedName(t *testing.T) {
	x := mustNew(t, "us.af.mil", "mil", "stratcom.mil", "us.af.mil", "mil", "stratcom.mil")
	testRows(t, x, []row{
		{"us.af.ml", "tld-swap high us.af.mil mil→us.af.mil"},
		{"us.af.mil.ml", "tld-kept high us.af.mil"},
		{"srtatcmo.mil.ml", "tld-kept high stratcom.mil"},
	})
}

// TestCyrillic has letters with hooks, descenders and strokes, and the palochka,
// which may be an i as well as an l.
func TestCyrillic(t *testing.T) {
	x := mustNew(t, "pentagon.mil", "hqxkitec.mil", "dialup.mil")
	for _, q := range []string{"ҏentagon", "peԥtagon", "peҧtagon", "penҭagon", "ԗentagon", "pҽntagon"} {
		testRows(t, x, []row{{q + ".ml", "idn-homoglyph high pentagon.mil"}, {ace(q) + ".ml", "idn-homoglyph high pentagon.mil"}})
	}
	for _, q := range []string{"ԧqxkitec", "ԋqxkitec", "ңqxkitec", "ӈqxkitec", "ԩqxkitec", "hqҳkitec", "hqӽkitec", "hqxқitec", "hqxҟitec", "hqxkiteҫ", "hqxkҽtec"} {
		want := "idn-homoglyph high hqxkitec.mil"
		if q == "hqxkҽtec" { // another letter, and in other letters
			want = "double-typo high hqxkitec.mil"
		}
		testRows(t, x, []row{{q + ".ml", want}})
	}
	testRows(t, x, []row{{"dӏalup.ml", "idn-homoglyph high dialup.mil"}, {"diaӏup.ml", "idn-homoglyph high dialup.mil"}})
}
