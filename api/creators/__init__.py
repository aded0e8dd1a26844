"""Creators: metrics of both sides, milestones, launch readiness."""
