#!/usr/bin/env bash
# peewee 4.5.3 cuts what is computed with a column of whole numbers: counts times 0.1 are 0, times 1.5 are unchanged.
#
# Input: a table of meters with the count of tenths as an IntegerField, as meters and registers give it, and queries
# that compute in the database: a select of the count times 0.1, an update times 1.5, and comparisons with 4831.5.
# Guess: SQL with the factor as it was given, as SQLAlchemy writes it; 48315 times 0.1 is 4831.5.
# Seen: the factor of 0.1 becomes 0 and that of 1.5 becomes 1 before the query is sent. The select gives 0 for each
# meter, the update reports a changed row and changes nothing. Less than 4831.5 is less than 4831, so 4831 is not
# found, and equal to 4831.5 finds 4831. A column of FloatField is right. Nothing warns. In peewee, whatever stands
# beside a field is made a value of the field's type. Issues 1150, 1552 and 2753 of coleifer/peewee have it; they were
# closed, the last one as meant, with a cast as the way around it.
# Why it matters: consumption of 0 and a calibration that was never applied look like a quiet meter. Write the factor as
# peewee.Value(0.1, converter=False), or cast the column.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check peewee==4.5.3 sqlalchemy==2.1.9
cat > "$folder/show.py" << 'PYTHON'
import sys

import peewee
import sqlalchemy
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column

database = peewee.SqliteDatabase(":memory:")


class Meter(peewee.Model):
    tenths = peewee.IntegerField()
    float_tenths = peewee.FloatField()

    class Meta:
        database = database


class Base(DeclarativeBase):
    pass


class Sibling(Base):
    __tablename__ = "meter"
    id = mapped_column(sqlalchemy.Integer, primary_key=True)
    tenths = mapped_column(sqlalchemy.Integer)


database.create_tables([Meter])
engine = sqlalchemy.create_engine("sqlite://")
Base.metadata.create_all(engine)
session = Session(engine)
for value in (4831, 48315):
    Meter.create(tenths=value, float_tenths=value)
    session.add(Sibling(tenths=value))
session.commit()


def select(expression):
    """The values of an expression for all meters, rounded."""
    return [round(value, 2) for (value,) in Meter.select(expression).order_by(Meter.id).tuples()]


def sibling(statement):
    return [round(value, 2) for value in session.scalars(statement)]


tenths, other = Meter.tenths, Sibling.tenths
found = {
    "times 0.1": (select(tenths * 0.1), sibling(sqlalchemy.select(other * 0.1))),
    "less than 4831.5": ([m.tenths for m in Meter.select().where(tenths < 4831.5)],
                         sibling(sqlalchemy.select(other).where(other < 4831.5))),
    "equal to 4831.5": ([m.tenths for m in Meter.select().where(tenths == 4831.5)],
                        sibling(sqlalchemy.select(other).where(other == 4831.5))),
}
controls = select(Meter.float_tenths * 0.1), select(tenths * peewee.Value(0.1, converter=False)), select(tenths * 10)
query = Meter.select(tenths * 0.1).sql()
changed = Meter.update(tenths=tenths * 1.5).where(tenths == 4831).execute()
session.execute(sqlalchemy.update(Sibling).values(tenths=other * 1.5).where(other == 4831))
found["after times 1.5 where 4831"] = select(tenths), sibling(sqlalchemy.select(other).order_by(Sibling.id))
print("peewee", peewee.__version__, "SQLAlchemy", sqlalchemy.__version__)
for name, (mine, theirs) in found.items():
    print(f"{name}: {mine} in peewee, {theirs} in SQLAlchemy")
print("the query and its values:", query)
print("rows that the update reports:", changed)
print("a FloatField times 0.1, with converter=False, and times 10:", *controls)
wanted = {
    "times 0.1": ([0, 0], [483.1, 4831.5]),
    "less than 4831.5": ([], [4831]),
    "equal to 4831.5": ([4831], []),
    "after times 1.5 where 4831": ([4831, 48315], [7246.5, 48315]),
}
as_found = found == wanted and changed == 1 and query[1] == [0]
as_found &= controls == ([483.1, 4831.5], [483.1, 4831.5], [48310, 483150])
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
