package report

// Estimate is a number that is known only roughly.
type Estimate struct {
	Least uint64 `json:"least"`
	Most  uint64 `json:"most"`
}

// Queries that a mail server makes for one message: 1 to 9, by its program and
// by what it is answered. Four programs were counted: build/package/doc/mail.md,
// "What each action looks like to the sender".
const (
	LeastQueries = 1
	MostQueries  = 9
)

// AddQueries adds the messages that may stand behind the queries of one mail
// server for one name.
func (e *Estimate) AddQueries(n uint64) {
	e.Least += (n + MostQueries - 1) / MostQueries
	e.Most += n / LeastQueries
}

// Add adds other, which may be nil.
func (e *Estimate) Add(other *Estimate) {
	if other != nil {
		e.Least += other.Least
		e.Most += other.Most
	}
}

// String writes the estimate for people.
func (e *Estimate) String() string {
	if e.Least == e.Most {
		return Number(e.Least)
	}
	return Number(e.Least) + " to " + Number(e.Most)
}

// Figure returns the estimate of messages as one of the numbers at the top.
func (e *Estimate) Figure() Figure {
	f := Figure{Label: "Messages", Value: e.Least, Note: "estimated from mail servers' queries"}
	if e.Most > e.Least {
		f.Upper = e.Most
	}
	return f
}
