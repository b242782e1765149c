// Package e2e runs the real binary as a user would, and holds the rules of the
// tree: who may import whom, and what no file may contain.
//
// It imports nothing of ours: all it knows of the program is what a user sees.
package e2e
