package event

// Words keeps the few words that stand in each line, so that they take
// memory once.
type Words struct {
	last [2]string
	all  map[string]string
}

// maxWords and maxWord bound what a log with made-up names can take.
const (
	maxWords = 4096
	maxWord  = 320
)

// Of returns the word as a string.
func (w *Words) Of(b []byte) string {
	for _, s := range w.last {
		if string(b) == s {
			return s
		}
	}
	if len(b) > maxWord {
		return string(b)
	}
	s, ok := w.all[string(b)]
	if !ok {
		if w.all == nil || len(w.all) >= maxWords {
			w.all = make(map[string]string)
		}
		s = string(b)
		w.all[s] = s
	}
	w.last[0], w.last[1] = s, w.last[0]
	return s
}
