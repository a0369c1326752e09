"""What is done with the files of runs: listed, read, forked, collected, exported."""
