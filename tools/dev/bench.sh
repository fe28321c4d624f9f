commandBench() { die "not yet"; }
