// Package names reads lists of domain names: the protected ones and the
// allowed ones, from the Corefile, from files, or from the list that is built
// in. It holds the allow list as a Set, and watches the files for changes.
//
// A name in canonical form, as every function here returns it, is lower-case
// ASCII with A-labels in place of U-labels (RFC 5890) and without a trailing
// dot.
package names
