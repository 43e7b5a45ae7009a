package deliver

import (
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
)

// Source is where a runner gets its sink's records from, in order.
type Source interface {
	// Take returns up to n of the oldest records; they stay in the source
	// until they are settled. The next call begins at the same record.
	Take(n int) []*record.Record
	// Settle removes the n oldest records, which were taken.
	Settle(n int)
	// Ready gets a value when Take may have more to return.
	Ready() <-chan struct{}
	// Backlog is the number of records, and when the oldest was made.
	Backlog() (n int, oldest time.Time)
	// Durable reports whether records that are not settled survive the process.
	Durable() bool
	// Release ends the use of the source. Records that are not settled stay in
	// it, where it is durable.
	Release()
}
