"""Tables that belong together, found by their values: which rows of one stand for rows of another, and what each
table looks like with all that belongs to its rows. Small models write a SELECT over one table rightly far more often
than a join, and code knows joins from keys."""
