"""What texts of one form hold, as tables: entries of logs, settings, labelled fields, mails, comments and functions.

A small model asks a table rightly more often than it takes a text apart.
"""
