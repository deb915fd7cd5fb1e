"""The page of `digitocr label`: pictures with their readings, corrected by keyboard"""
