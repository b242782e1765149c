// Package e2e runs the real binary as a user would, and holds the rules of the
// tree: who may import whom, and what no file may contain.
//
// It imports nothing of ours: all it knows of the program is what a user sees.
//
// Some tests need a program from outside, among them browsers that send pings of
// their own, and say what they miss when they are skipped. E2E_NODE_MODULES is
// the folder in which npm put Glean.js. E2E_BINARY is the pinglake to test, built
// from the tree unless set.
package e2e
