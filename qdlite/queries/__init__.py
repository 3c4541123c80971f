"""How is one query request planned and executed, on whatever collection a `PointView` shows?"""
