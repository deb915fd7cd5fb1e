import numpy as np

from digitocr.train.sources.labelled import NONE, Gathered
from digitocr.train.sources.sheet import BACKGROUND, CELL, MARGIN, PICTURE, sheet


def test_a_row_for_each_class_that_occurs_with_ten_pictures(draw):
    gathered = Gathered("here")
    for number in range(14):
        gathered.add(draw(3, number), 3, "")
    gathered.add(draw(NONE), NONE, "")
    page = np.asarray(sheet(gathered.labelled()))
    assert page.shape == (2 * CELL, MARGIN + 10 * CELL)
    top = (CELL - PICTURE) // 2
    shown = [page[top : top + PICTURE : 2, MARGIN + at * CELL :][:, :PICTURE:2] for at in range(10)]
    known = [draw(3, number) for number in range(14)]
    places = [next(at for at, image in enumerate(known) if np.array_equal(image, picture)) for picture in shown]
    assert len(set(places)) == 10
    assert places == sorted(places)
    second = page[CELL + top : CELL + top + PICTURE : 2, MARGIN : MARGIN + PICTURE : 2]
    assert np.array_equal(second, draw(NONE))
    assert (page[CELL:, MARGIN + CELL :] == page[-1, -1]).all()  # nothing beside it
    assert (page[:CELL, :MARGIN] > BACKGROUND).any()  # the name of the class
