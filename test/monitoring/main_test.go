// Package monitoring tests what the SOC watches our servers with: the rules of
// Prometheus, the dashboard of Grafana and the runbook.
package monitoring

import (
	"testing"

	"github.com/lookalike-dns/lookalike/test/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }
