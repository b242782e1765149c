SELECT e'line1\nline2' AS lines, e'a\tb' AS tab, 'x|y' AS bar;
