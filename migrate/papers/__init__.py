"""What a run says of itself: evidence in a few words, and reports that people sign."""
