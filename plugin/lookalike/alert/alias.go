package alert

import "github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"

// What users of this package see of records.
type (
	Action    = record.Action
	Detection = record.Detection
	Gap       = record.Gap
	Phase     = record.Phase
	Record    = record.Record
	SMTP      = record.SMTP
	TypeCount = record.TypeCount
)

const (
	First  = record.First
	Update = record.Update
	Final  = record.Final
	Storm  = record.Storm
	Lost   = record.Lost
	Test   = record.Test

	LevelInfo   = record.LevelInfo
	LevelLow    = record.LevelLow
	LevelMedium = record.LevelMedium
	LevelHigh   = record.LevelHigh
)
