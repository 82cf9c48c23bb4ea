"""How well `whosends sources` answers: who sends as me, and is it mine? Scored in benchmarks.worlds."""
