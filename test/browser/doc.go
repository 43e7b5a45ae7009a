// Package browser looks at the tool's pages with a real browser: the tests have
// the tag e2e, and need chromium and npm.
package browser
