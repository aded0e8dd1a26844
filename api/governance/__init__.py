"""SPARK's governor and those of coins: what is put to the vote, how the votes stand, and taking part."""
