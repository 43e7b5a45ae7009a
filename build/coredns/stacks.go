package main

import (
	"log"

	"github.com/lookalike-dns/lookalike/plugin/pkg/stacks"
)

// For as long as the process runs. This file serves any CoreDNS.
func init() {
	if _, err := stacks.Start(stacks.Query); err != nil {
		log.Printf("[WARNING] queries cost more than they could: %v", err)
	}
}
