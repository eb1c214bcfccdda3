"""klingo1: pictures and a sentence in, a short video out."""
