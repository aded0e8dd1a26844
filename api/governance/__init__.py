"""SPARK and its governor: what is put to the vote, how the votes stand, and taking part."""
