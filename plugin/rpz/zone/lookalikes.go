package zone

import (
	"context"
	"slices"
	"strings"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/variants"
)

// lookalikes are those that an index finds, sorted, in little room: eight octets
// for each, and its letters.
type lookalikes struct {
	index *detect.Index
	tlds  []string
	text  string
	finds []found
}

// found is a lookalike that stands in text from at on.
type found struct {
	at         uint32
	n          uint8
	class      detect.Class
	confidence detect.Confidence
}

// find lists the lookalikes that x finds under TLDs. It ends with ctx, and when
// there is one too many.
func find(ctx context.Context, x *detect.Index, tlds []string, o *Options) *lookalikes {
	l := &lookalikes{index: x, tlds: tlds}
	var text strings.Builder
	for v := range variants.New(x, slices.Collect(x.Protected()), variants.Options{
		TLDs: tlds, Classes: o.Classes, NoWords: !slices.Contains(o.Classes, detect.Combosquat),
	}).All() {
		if ctx.Err() != nil || len(l.finds) > o.Max {
			break
		}
		l.finds = append(l.finds, found{uint32(text.Len()), uint8(len(v.Name)), v.Class, v.Confidence}) //nolint:gosec // of at most MaxNames names, of 253 characters
		text.WriteString(v.Name)
	}
	l.text, l.finds = text.String(), slices.Clip(l.finds)
	slices.SortFunc(l.finds, func(a, b found) int { return compareNames(l.name(a), l.name(b)) })
	return l
}

func (l *lookalikes) name(f found) string { return l.text[f.at:][:f.n] }

// are reports whether these are the lookalikes that x finds under TLDs.
func (l *lookalikes) are(x *detect.Index, tlds []string) bool {
	return l.index == x && slices.Equal(l.tlds, tlds)
}
