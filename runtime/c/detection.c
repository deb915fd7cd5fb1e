/* Finding digits: boxes in which digits may be, by a network that sees the picture at one to four sizes. What
 * runtime/detector.py and boxes.py do, to the last bit.
 *
 * The arena is used from both ends: what is found grows down from its end, while pictures and the network take memory
 * from its front. */
#include "internal.h"

#define DG_SMALL_WINDOW 0 /* places in DG_DETECTOR_WINDOWS */
#define DG_LARGE_WINDOW 1

static const int32_t dg_windows[] = DG_DETECTOR_WINDOWS; /* pixels; in which a pixel's contrast is measured */

/* --- The network's input (detector.detector_input) ---------------------------------------------------------------- */

/* Places in which rows are seen side by side: that of the pixels, and where each window enters and leaves rows. Each
 * makes its own, which takes less memory than to hold all rows of the large window. */
#define DG_MIDDLE_ROW 0
#define DG_ENTERED(window) (1 + 2 * (window))
#define DG_LEFT(window) (2 + 2 * (window))
#define DG_ROW_PLACES 5

/* A part of a view in a frame of repeated edge pixels, whose planes are prepared row by row. Beyond the frame it is
 * mirrored. */
struct dg_planes {
    struct dg_rows lines[DG_ROW_PLACES];
    uint8_t *made[DG_ROW_PLACES]; /* the row that was made last; NULL where they are the picture's own */
    int32_t top, width, height;   /* of the part */
    int32_t rows, columns; /* of the framed picture */
    int32_t *places;       /* of the framed picture's columns, with half a large window on each side: their columns */
    int32_t *sums[2], *squares[2]; /* of the picture's columns, over the rows of each window */
    float ink; /* the strongest differences from the local mean, plus DG_DETECTOR_MIN_SPREAD */
};

static int32_t dg_framed_length(int32_t length) {
    int32_t framed = length + 2 * DG_DETECTOR_MARGIN;
    return (framed + DG_DETECTOR_MULTIPLE - 1) / DG_DETECTOR_MULTIPLE * DG_DETECTOR_MULTIPLE;
}

/* The row or column of a picture that is seen at a place of the framed one. */
static int32_t dg_unframed(int32_t place, int32_t framed, int32_t length) {
    while (place < 0 || place >= framed) place = place < 0 ? -1 - place : 2 * framed - 1 - place;
    place -= DG_DETECTOR_MARGIN;
    return place < 0 ? 0 : place < length ? place : length - 1;
}

static const uint8_t *dg_framed_row(struct dg_planes *planes, int32_t row, int32_t place) {
    int32_t line = planes->top + dg_unframed(row, planes->rows, planes->height);
    return dg_view_row(&planes->lines[place], line, planes->made[place]);
}

/* Adds a row to the sums of a window, or takes it off; squares may be NULL. */
static void dg_add_to_window(int32_t *restrict sums, int32_t *restrict squares, const uint8_t *restrict line, int32_t width,
                             int32_t times) {
    DG_EACH(n, width, sums[n] += times * line[n]);
    if (squares) DG_EACH(n, width, squares[n] += times * (line[n] * line[n]));
}

/* Sets the sums of a window to those for the first row. */
static void dg_begin_window(struct dg_planes *planes, int32_t window, int with_squares) {
    int32_t row, reach = dg_windows[window] / 2, *squares = with_squares ? planes->squares[window] : NULL;
    memset(planes->sums[window], 0, (size_t)planes->width * sizeof(int32_t));
    memset(planes->squares[window], 0, (size_t)planes->width * sizeof(int32_t));
    for (row = -reach; row <= reach; row++)
        dg_add_to_window(planes->sums[window], squares, dg_framed_row(planes, row, DG_ENTERED(window)), planes->width,
                         1);
}

/* Moves a window from that row to the next one. */
static void dg_move_window(struct dg_planes *planes, int32_t window, int32_t row, int with_squares) {
    int32_t reach = dg_windows[window] / 2, *squares = with_squares ? planes->squares[window] : NULL;
    const uint8_t *enters = dg_framed_row(planes, row + reach + 1, DG_ENTERED(window));
    const uint8_t *leaves = dg_framed_row(planes, row - reach, DG_LEFT(window));
    dg_add_to_window(planes->sums[window], squares, enters, planes->width, 1);
    dg_add_to_window(planes->sums[window], squares, leaves, planes->width, -1);
}

static const int32_t *dg_places(const struct dg_planes *planes) {
    return planes->places + dg_windows[DG_LARGE_WINDOW] / 2 + 1; /* of column 0 */
}

/* A sum over the columns of a window around the first column. */
static int32_t dg_window_sum(const struct dg_planes *planes, const int32_t *sums, int32_t reach) {
    int32_t column, sum = 0;
    for (column = -reach; column <= reach; column++) sum += sums[dg_places(planes)[column]];
    return sum;
}

static double dg_window_share(int32_t window) { return 1.0 / (double)(dg_windows[window] * dg_windows[window]); }

static float dg_mean_of(int32_t sum, double share) { return (float)((double)sum * share); }

/* The least of some numbers is kept at the front, so that it can be replaced by a larger one (a heap). */
static void dg_keep_largest(float *largest, int32_t count, float value) {
    int32_t at = 0;
    for (;;) {
        int32_t child = 2 * at + 1;
        if (child >= count) break;
        if (child + 1 < count && largest[child + 1] < largest[child]) child++;
        if (largest[child] >= value) break;
        largest[at] = largest[child];
        at = child;
    }
    largest[at] = value;
}

static int32_t dg_ink_samples(int32_t rows, int32_t columns, int32_t *count) {
    int32_t n = (rows + DG_DETECTOR_INK_STEP - 1) / DG_DETECTOR_INK_STEP *
                ((columns + DG_DETECTOR_INK_STEP - 1) / DG_DETECTOR_INK_STEP);
    *count = n - (int32_t)(DG_DETECTOR_INK_QUANTILE * (double)(n - 1)); /* the value of that rank and what is above it */
    return n;
}

/* The strongest differences from the mean of the small window: a quantile of their amounts. */
static float dg_ink_strength(struct dg_planes *planes, float *largest) {
    const int32_t reach = dg_windows[DG_SMALL_WINDOW] / 2, *places = dg_places(planes);
    const double share = dg_window_share(DG_SMALL_WINDOW);
    int32_t *sums = planes->sums[DG_SMALL_WINDOW], row, column, count;
    dg_ink_samples(planes->rows, planes->columns, &count);
    for (column = 0; column < count; column++) largest[column] = -1.0F;
    dg_begin_window(planes, DG_SMALL_WINDOW, 0);
    for (row = 0; row < planes->rows; row++) {
        if (row % DG_DETECTOR_INK_STEP == 0) {
            const uint8_t *line = dg_framed_row(planes, row, DG_MIDDLE_ROW);
            int32_t sum = dg_window_sum(planes, sums, reach);
            for (column = 0; column < planes->columns; column++) {
                if (column % DG_DETECTOR_INK_STEP == 0) {
                    float difference = (float)line[places[column]] - dg_mean_of(sum, share);
                    if (difference < 0.0F) difference = -difference;
                    if (difference > largest[0]) dg_keep_largest(largest, count, difference);
                }
                sum += sums[places[column + reach + 1]] - sums[places[column - reach]];
            }
        }
        dg_move_window(planes, DG_SMALL_WINDOW, row, 0);
    }
    return largest[0];
}

static float dg_contrast(float value) {
    const float most = (float)DG_DETECTOR_MAX_CONTRAST;
    return value < -most ? -most : value > most ? most : value;
}

static void dg_planes_row(void *context, int32_t row, uint8_t *to) {
    struct dg_planes *planes = context;
    const int32_t *places = dg_places(planes);
    const float least = (float)DG_DETECTOR_MIN_SPREAD, scale = dg_detector.scale;
    const uint8_t *line = dg_framed_row(planes, row, DG_MIDDLE_ROW);
    int32_t sum[2], square[2], window, column;
    double share[2];
    for (window = 0; window < 2 && !row; window++) dg_begin_window(planes, window, 1);
    for (window = 0; window < 2; window++) {
        share[window] = dg_window_share(window);
        sum[window] = dg_window_sum(planes, planes->sums[window], dg_windows[window] / 2);
        square[window] = dg_window_sum(planes, planes->squares[window], dg_windows[window] / 2);
    }
    for (column = 0; column < planes->columns; column++) {
        float level = (float)line[places[column]], difference = 0.0F;
        for (window = 0; window < 2; window++) {
            int32_t enters = places[column + dg_windows[window] / 2 + 1];
            int32_t leaves = places[column - dg_windows[window] / 2];
            float mean = dg_mean_of(sum[window], share[window]);
            float spread = dg_sqrtf(dg_mean_of(square[window], share[window]) - mean * mean) + least;
            difference = level - mean;
            *to++ = dg_quantised(dg_contrast(difference / spread), scale, dg_detector.zero_point);
            sum[window] += planes->sums[window][enters] - planes->sums[window][leaves];
            square[window] += planes->squares[window][enters] - planes->squares[window][leaves];
        }
        *to++ = dg_quantised(dg_contrast(difference / planes->ink), scale, dg_detector.zero_point);
    }
    for (window = 0; window < 2; window++) dg_move_window(planes, window, row, 1);
}

static int dg_begin_planes(struct dg_planes *planes, const struct dg_view *view, int32_t left, int32_t top, int32_t width,
                           int32_t height, struct dg_arena *arena) {
    int32_t reach = dg_windows[DG_LARGE_WINDOW] / 2 + 1, window, column, count, place;
    size_t line = (size_t)width * sizeof(int32_t);
    unsigned char *mark;
    float *largest;
    planes->top = top;
    planes->width = width;
    planes->height = height;
    planes->rows = dg_framed_length(height);
    planes->columns = dg_framed_length(width);
    planes->places = dg_take(arena, (size_t)(planes->columns + 2 * reach) * sizeof(int32_t));
    for (window = 0; window < 2; window++) {
        planes->sums[window] = dg_take(arena, line);
        planes->squares[window] = dg_take(arena, line);
    }
    for (place = 0; place < DG_ROW_PLACES; place++) {
        planes->made[place] = dg_is_plain(view) ? NULL : dg_take(arena, (size_t)width);
        if (!planes->made[place] && !dg_is_plain(view)) return DIGITOCR_ERROR_MEMORY;
        if (dg_begin_rows(&planes->lines[place], view, left, width, arena)) return DIGITOCR_ERROR_MEMORY;
    }
    mark = arena->at;
    dg_ink_samples(planes->rows, planes->columns, &count);
    largest = dg_take(arena, (size_t)count * sizeof *largest);
    if (!largest || !planes->places || !planes->sums[0] || !planes->squares[0] || !planes->sums[1] ||
        !planes->squares[1])
        return DIGITOCR_ERROR_MEMORY;
    for (column = -reach; column < planes->columns + reach; column++)
        planes->places[column + reach] = dg_unframed(column, planes->columns, width);
    planes->ink = dg_ink_strength(planes, largest) + (float)DG_DETECTOR_MIN_SPREAD;
    arena->at = mark;
    return DIGITOCR_OK;
}

static size_t dg_planes_bytes(int32_t width, int32_t height, int is_plain, size_t *largest) {
    int32_t count, columns = dg_framed_length(width);
    size_t made = is_plain ? 0 : DG_ROW_PLACES * (DG_BYTES(width) + dg_rows_bytes(width));
    dg_ink_samples(dg_framed_length(height), columns, &count);
    *largest = DG_BYTES((size_t)count * sizeof(float));
    return made + DG_BYTES((size_t)(columns + dg_windows[DG_LARGE_WINDOW] + 1) * sizeof(int32_t)) +
           4 * DG_BYTES((size_t)width * sizeof(int32_t));
}

/* --- What is found ------------------------------------------------------------------------------------------------ */

#define DG_MAX_SIGHTS 16 /* sizes at which a picture is seen: the side doubles from one to the next */

/* A candidate, as small as it can be. */
struct dg_found {
    float x, y;            /* pixels of the whole picture */
    uint8_t width, height; /* bytes of the network's output */
    uint8_t sight;         /* the size at which it was seen */
    uint8_t level;         /* the least byte with that score */
};

/* What is found grows down from the end of the arena. */
struct dg_finder {
    const struct dg_view *view;
    struct dg_arena *arena;
    unsigned char *end;    /* of the arena, before anything was found */
    int32_t count;
    float scores[256];     /* of each byte of the network's first output */
    uint8_t levels[256];   /* the least byte with the same score */
    float side_scale;      /* of the network's second output */
    int32_t side_zero;
    int32_t sight_count;
    float scales_x[DG_MAX_SIGHTS], scales_y[DG_MAX_SIGHTS]; /* pixels of the whole picture for one that is seen */
    int32_t least_byte;    /* the first byte that is a candidate */
};

static struct dg_found *dg_found_at(const struct dg_finder *finder, int32_t number) {
    return (struct dg_found *)(void *)finder->end - 1 - number;
}

static float dg_exp_of(float logarithm) {
    double value = (double)logarithm;
    if (value < DG_DETECTOR_MIN_LOG_SIDE) value = DG_DETECTOR_MIN_LOG_SIDE;
    if (value > DG_DETECTOR_MAX_LOG_SIDE) value = DG_DETECTOR_MAX_LOG_SIDE;
    return (float)dg_exp(value);
}

/* A side in pixels of the picture that was seen, of the byte of its logarithm. */
static float dg_length_of(const struct dg_finder *finder, uint8_t byte) {
    return DG_DETECTOR_STRIDE * dg_exp_of((float)(byte - finder->side_zero) * finder->side_scale);
}

static struct digitocr_box dg_box_at(const struct dg_finder *finder, int32_t number) {
    const struct dg_found *found = dg_found_at(finder, number);
    struct digitocr_box box;
    box.x = found->x;
    box.y = found->y;
    box.width = dg_length_of(finder, found->width) * finder->scales_x[found->sight];
    box.height = dg_length_of(finder, found->height) * finder->scales_y[found->sight];
    return box;
}

static int dg_push(struct dg_finder *finder, const struct dg_found *found) {
    if ((size_t)(finder->arena->end - finder->arena->at) < sizeof *found) return DIGITOCR_ERROR_MEMORY;
    finder->arena->end -= sizeof *found;
    *dg_found_at(finder, finder->count++) = *found;
    return DIGITOCR_OK;
}

/* Drops all but the first ones. */
static void dg_drop_after(struct dg_finder *finder, int32_t count) {
    finder->count = count;
    finder->arena->end = finder->end - (size_t)count * sizeof(struct dg_found);
}

static float dg_longer_side(const struct digitocr_box *box) { return box->width > box->height ? box->width : box->height; }

static float dg_longer_side_at(const struct dg_finder *finder, int32_t number) {
    struct digitocr_box box = dg_box_at(finder, number);
    return dg_longer_side(&box);
}

/* Drops those from a number on whose longer side is below that many pixels (detector._at_least). */
static void dg_drop_small(struct dg_finder *finder, int32_t first, double side) {
    int32_t number, kept = first;
    for (number = first; number < finder->count; number++)
        if (dg_longer_side_at(finder, number) >= (float)side)
            *dg_found_at(finder, kept++) = *dg_found_at(finder, number);
    dg_drop_after(finder, kept);
}

static int dg_is_sure(const struct dg_finder *finder, int32_t number) {
    return finder->scores[dg_found_at(finder, number)->level] >= (float)DG_DETECTOR_SURE_SCORE;
}

/* The scores of all bytes of the network's first output. */
static void dg_score_bytes(struct dg_finder *finder, float scale, int32_t zero_point) {
    const double least = dg_log(DG_DETECTOR_MIN_SCORE / (1.0 - DG_DETECTOR_MIN_SCORE));
    int32_t byte;
    finder->least_byte = 256;
    for (byte = 255; byte >= 0; byte--) {
        float logit = (float)(byte - zero_point) * scale;
        finder->scores[byte] = (float)(1.0 / (1.0 + dg_exp(-(double)logit)));
        if ((double)logit > least) finder->least_byte = byte;
    }
    for (byte = 0; byte < 256; byte++)
        finder->levels[byte] =
            (uint8_t)(byte && finder->scores[byte] == finder->scores[byte - 1] ? finder->levels[byte - 1] : byte);
}

/* A part of a side of a picture that the network sees at once: `length` pixels from `start` on. Boxes count whose centre
 * lies from `first` up to `last`. */
struct dg_piece {
    int32_t start, length;
    double first, last;
};

#define DG_NOWHERE 1e300 /* farther than any place */

static int32_t dg_piece_count(int32_t length) {
    int32_t count = (length - DG_DETECTOR_OVERLAP + DG_DETECTOR_PIECE - DG_DETECTOR_OVERLAP - 1) /
                    (DG_DETECTOR_PIECE - DG_DETECTOR_OVERLAP);
    return length > DG_DETECTOR_OVERLAP && count > 1 ? count : 1;
}

/* Pixels of each of so many pieces of a side. */
static int32_t dg_piece_length(int32_t length, int32_t count) {
    return (length + (count - 1) * DG_DETECTOR_OVERLAP + count - 1) / count;
}

static int32_t dg_piece_start(int32_t length, int32_t count, int32_t number) {
    int32_t left = length - dg_piece_length(length, count);
    return (int32_t)dg_round((double)((int64_t)number * left) / (double)(count - 1));
}

static struct dg_piece dg_piece_of(int32_t length, int32_t count, int32_t number) {
    struct dg_piece piece = {0, length, -DG_NOWHERE, DG_NOWHERE};
    int32_t end;
    if (count == 1) return piece;
    piece.start = dg_piece_start(length, count, number);
    piece.length = dg_piece_length(length, count);
    end = piece.start + piece.length;
    if (number) piece.first = (double)(dg_piece_start(length, count, number - 1) + end) / 2.0;
    if (number < count - 1) piece.last = (double)(end + dg_piece_start(length, count, number + 1)) / 2.0;
    return piece;
}

static int dg_is_within(const struct digitocr_box *box, const struct dg_piece *across, const struct dg_piece *down) {
    double x = (double)(box->x + box->width / 2.0F), y = (double)(box->y + box->height / 2.0F);
    return x >= across->first && y >= down->first && x < across->last && y < down->last;
}

/* Adds what the network finds in a piece of a picture, in pixels of the whole one at its own size. */
static int dg_detect_in_piece(struct dg_finder *finder, const struct dg_view *small, const struct dg_piece *across,
                              const struct dg_piece *down) {
    struct dg_arena *arena = finder->arena;
    unsigned char *mark = arena->at;
    struct dg_planes planes;
    struct dg_source source;
    struct dg_output outputs[DG_MAX_OUTPUTS];
    float scale_x = finder->scales_x[finder->sight_count - 1], scale_y = finder->scales_y[finder->sight_count - 1];
    int32_t counts[256], row, column, byte, left = DG_DETECTOR_MAX_CELLS, least, at_least;
    int error;
    error = dg_begin_planes(&planes, small, across->start, down->start, across->length, down->length, arena);
    source.row = dg_planes_row;
    source.context = &planes;
    if (!error) error = dg_run(&dg_detector, planes.rows, planes.columns, &source, arena, outputs);
    if (!error && (outputs[0].scale == 0.0F || outputs[1].scale == 0.0F))
        error = DIGITOCR_ERROR_WEIGHTS; /* candidates are sorted by bytes, and hold bytes */
    if (error) {
        arena->at = mark;
        return error;
    }
    dg_score_bytes(finder, outputs[0].scale, outputs[0].zero_point);
    finder->side_scale = outputs[1].scale;
    finder->side_zero = outputs[1].zero_point;
    memset(counts, 0, sizeof counts);
    for (row = 0; row < outputs[0].rows; row++)
        for (column = 0; column < outputs[0].columns; column++)
            counts[((const uint8_t *)outputs[0].data)[((ptrdiff_t)row * outputs[0].columns + column) * outputs[0].stride]]++;
    /* of more than DG_DETECTOR_MAX_CELLS the strongest, and of `least`, the weakest of these, the first `at_least` */
    for (least = 255; least > finder->least_byte && counts[least] <= left; least--) left -= counts[least];
    at_least = left;
    for (row = 0; row < outputs[0].rows && !error; row++)
        for (column = 0; column < outputs[0].columns && !error; column++) {
            ptrdiff_t cell = (ptrdiff_t)row * outputs[0].columns + column, first = cell * outputs[1].stride;
            const uint8_t *sides = (const uint8_t *)outputs[1].data + first + 2;
            struct digitocr_box box;
            struct dg_found found;
            float longer;
            double x, y;
            byte = ((const uint8_t *)outputs[0].data)[cell * outputs[0].stride];
            if (byte < least || byte < finder->least_byte || (byte == least && at_least-- <= 0)) continue;
            box.width = dg_length_of(finder, sides[0]);
            box.height = dg_length_of(finder, sides[1]);
            longer = dg_longer_side(&box);
            x = ((double)column + 0.5) * DG_DETECTOR_STRIDE + (double)(dg_value(&outputs[1], first) * longer);
            y = ((double)row + 0.5) * DG_DETECTOR_STRIDE + (double)(dg_value(&outputs[1], first + 1) * longer);
            box.x = (float)(x - (double)(box.width / 2.0F)) - (float)DG_DETECTOR_MARGIN + (float)across->start;
            box.y = (float)(y - (double)(box.height / 2.0F)) - (float)DG_DETECTOR_MARGIN + (float)down->start;
            if (!dg_is_within(&box, across, down)) continue;
            found.x = box.x * scale_x;
            found.y = box.y * scale_y;
            found.width = sides[0];
            found.height = sides[1];
            found.sight = (uint8_t)(finder->sight_count - 1);
            found.level = finder->levels[byte];
            error = dg_push(finder, &found);
        }
    arena->at = mark;
    return error;
}

/* Adds what the network finds in a picture that was shrunk. */
static int dg_detect_at(struct dg_finder *finder, const struct dg_view *small) {
    int32_t rows = dg_piece_count(small->height), columns = dg_piece_count(small->width), row, column;
    int error = DIGITOCR_OK;
    finder->scales_x[finder->sight_count] = (float)((double)finder->view->width / (double)small->width);
    finder->scales_y[finder->sight_count++] = (float)((double)finder->view->height / (double)small->height);
    for (row = 0; row < rows && !error; row++)
        for (column = 0; column < columns && !error; column++) {
            struct dg_piece across = dg_piece_of(small->width, columns, column);
            struct dg_piece down = dg_piece_of(small->height, rows, row);
            error = dg_detect_in_piece(finder, small, &across, &down);
        }
    return error;
}

/* Adds what the network finds in the picture at a size, with an even background. */
static int dg_detect_evened(struct dg_finder *finder, int32_t side) {
    unsigned char *mark = finder->arena->at;
    const struct dg_view *view = finder->view;
    struct dg_view small;
    int error;
    if ((view->width > view->height ? view->width : view->height) <= side) {
        error = dg_find_background(view, finder->arena, &small);
    } else {
        error = dg_shrunk(view, side, finder->arena, &small);
        if (!error) error = dg_even_in_place(&small.picture, mark, finder->arena);
    }
    if (!error) error = dg_detect_at(finder, &small);
    finder->arena->at = mark;
    return error;
}

/* Adds what the network finds in the picture shrunk to a size by way of another one. */
static int dg_detect_coarse(struct dg_finder *finder, int32_t middle, int32_t side) {
    unsigned char *mark = finder->arena->at;
    struct dg_view small, coarse;
    int error = dg_shrunk(finder->view, middle, finder->arena, &small);
    if (!error) error = dg_shrunk(&small, side, finder->arena, &coarse);
    if (!error) error = dg_detect_at(finder, &coarse);
    finder->arena->at = mark;
    return error;
}

/* --- One box for each digit (boxes.non_maximum_suppression) ------------------------------------------------------- */

/* A box as it is compared: widened to a least aspect. */
struct dg_edges {
    float left, top, right, bottom, area;
};

static struct dg_edges dg_edges_of(const struct digitocr_box *box) {
    float least = (float)DG_BOXES_MIN_ASPECT * dg_longer_side(box);
    float x = box->x + box->width / 2.0F, y = box->y + box->height / 2.0F;
    float width = box->width > least ? box->width : least, height = box->height > least ? box->height : least;
    struct dg_edges edges;
    edges.left = x - width / 2.0F;
    edges.top = y - height / 2.0F;
    edges.right = x + width / 2.0F;
    edges.bottom = y + height / 2.0F;
    edges.area = width * height;
    return edges;
}

static int dg_in_conflict(const struct dg_edges *one, const struct dg_edges *other) {
    float right = one->right < other->right ? one->right : other->right;
    float left = one->left > other->left ? one->left : other->left;
    float bottom = one->bottom < other->bottom ? one->bottom : other->bottom;
    float top = one->top > other->top ? one->top : other->top;
    float across = right - left, down = bottom - top, shared, smaller;
    if (across <= 0.0F || down <= 0.0F) return one->area == 0.0F || other->area == 0.0F;
    shared = across * down;
    smaller = one->area < other->area ? one->area : other->area;
    return !(shared < (float)DG_BOXES_MAX_IOU * (one->area + other->area - shared) &&
             shared < (float)DG_BOXES_MAX_SHARE_OF_SMALLER * smaller);
}

/* The numbers of the best ones that lie on one digit each, best first; they stay in the arena. */
static int dg_suppress(const struct dg_finder *finder, int32_t limit, int32_t **kept, int32_t *kept_count) {
    struct dg_arena *arena = finder->arena;
    int32_t starts[257], most = finder->count < limit ? finder->count : limit, number, level, n, *order;
    struct dg_edges *edges;
    *kept_count = 0;
    *kept = dg_take(arena, (size_t)most * sizeof **kept);
    order = dg_take(arena, (size_t)finder->count * sizeof *order);
    edges = dg_take(arena, (size_t)most * sizeof *edges);
    if (!*kept || !order || !edges) return DIGITOCR_ERROR_MEMORY;
    memset(starts, 0, sizeof starts);
    for (number = 0; number < finder->count; number++) starts[256 - dg_found_at(finder, number)->level]++;
    for (level = 1; level <= 256; level++) starts[level] += starts[level - 1];
    for (number = 0; number < finder->count; number++)
        order[starts[255 - dg_found_at(finder, number)->level]++] = number; /* equal ones keep their order */
    for (n = 0; n < finder->count && *kept_count < most; n++) {
        struct digitocr_box box = dg_box_at(finder, order[n]);
        struct dg_edges one = dg_edges_of(&box);
        int32_t other = 0;
        while (other < *kept_count && !dg_in_conflict(&one, &edges[other])) other++;
        if (other < *kept_count) continue;
        edges[*kept_count] = one;
        (*kept)[(*kept_count)++] = order[n];
    }
    arena->at = (unsigned char *)*kept + DG_BYTES((size_t)most * sizeof **kept);
    return DIGITOCR_OK;
}

/* --- All sizes (Detector.detect) ---------------------------------------------------------------------------------- */

/* How large a picture is seen: a long one as large as its part of DG_DETECTOR_NORMAL_ASPECT would be. */
static double dg_span(int32_t width, int32_t height) {
    double longer = width > height ? width : height, part = DG_DETECTOR_NORMAL_ASPECT * (width < height ? width : height);
    return longer < part ? longer : part;
}

static int32_t dg_side_at(int32_t side, double times) { return (int32_t)dg_round((double)side * times); }

/* Sees the picture at twice the last size, and so on, where it shows tiny candidates or nothing at all. */
static int dg_detect_finer(struct dg_finder *finder, double span, double times, int thorough) {
    struct dg_arena *arena = finder->arena;
    unsigned char *mark = arena->at;
    int32_t side = DG_DETECTOR_FINE;
    int error = DIGITOCR_OK;
    while (!error && span > DG_DETECTOR_FINER_GAIN * (double)side) {
        int32_t *kept, kept_count, n, count = 0, is_empty;
        float below = (float)((double)DG_DETECTOR_TINY / (double)side * span);
        error = dg_suppress(finder, DG_BOXES_MAX_DETECTIONS, &kept, &kept_count);
        if (error) break;
        is_empty = thorough && side == DG_DETECTOR_FINE && span > DG_DETECTOR_EMPTY_GAIN * DG_DETECTOR_FINE;
        for (n = 0; n < kept_count; n++) {
            is_empty = is_empty && !dg_is_sure(finder, kept[n]);
            count += dg_longer_side_at(finder, kept[n]) < below;
        }
        if (!is_empty && (double)count <= DG_DETECTOR_MOSTLY * (double)kept_count) break;
        side *= 2;
        arena->at = mark;
        error = dg_detect_evened(finder, dg_side_at(side, times));
    }
    arena->at = mark;
    return error;
}

/* Whether what was found is smaller than that: something sure, or much that is not; or whether nothing is sure. */
static int dg_shows_small(const struct dg_finder *finder, float below) {
    int32_t n, sure = 0, small = 0;
    for (n = 0; n < finder->count; n++) {
        int is_small = dg_longer_side_at(finder, n) < below;
        if (is_small && dg_is_sure(finder, n)) return 1;
        sure += dg_is_sure(finder, n);
        small += is_small;
    }
    return small >= DG_DETECTOR_FEW_SMALL || !sure;
}

/* Adds what is found at all sizes. */
static int dg_detect_sizes(struct dg_finder *finder, int thorough) {
    const struct dg_view *picture = finder->view;
    int32_t longer = picture->width > picture->height ? picture->width : picture->height, n, coarse, middle, is_close = 0;
    double span = dg_span(picture->width, picture->height), times = (double)longer / span;
    int error;
    middle = dg_side_at(DG_DETECTOR_MIDDLE, times);
    error = dg_detect_coarse(finder, middle, DG_DETECTOR_COARSE);
    for (n = 0; n < finder->count && !is_close; n++) {
        struct digitocr_box box = dg_box_at(finder, n);
        is_close = dg_is_sure(finder, n) && dg_is_close_up(picture->width, picture->height, &box, 1);
    }
    if (error || longer <= DG_DETECTOR_COARSE || is_close) return error;
    if (times > 1.0) {
        dg_drop_after(finder, 0);
        error = dg_detect_coarse(finder, middle, dg_side_at(DG_DETECTOR_COARSE, times));
    }
    dg_drop_small(finder, 0, (double)DG_DETECTOR_MIN_COARSE_SIDE / DG_DETECTOR_COARSE * span);
    coarse = finder->count;
    if (!error) error = dg_detect_evened(finder, middle);
    if (error) return error;
    if (span <= DG_DETECTOR_FINE_GAIN * DG_DETECTOR_MIDDLE ||
        !dg_shows_small(finder, (float)((double)DG_DETECTOR_FINE_BELOW / DG_DETECTOR_MIDDLE * span)))
        return DIGITOCR_OK;
    dg_drop_small(finder, coarse, (double)DG_DETECTOR_MIN_MIDDLE_SIDE / DG_DETECTOR_MIDDLE * span);
    error = dg_detect_evened(finder, dg_side_at(DG_DETECTOR_FINE, times));
    return error ? error : dg_detect_finer(finder, span, times, thorough);
}

int dg_detect(const struct dg_view *view, int thorough, int32_t capacity, struct digitocr_box *boxes,
              float *scores, int32_t *count, struct dg_arena *arena) {
    struct dg_arena used = *arena;
    struct dg_finder finder;
    int32_t *kept, n;
    int error;
    memset(&finder, 0, sizeof finder);
    used.end -= (size_t)((uintptr_t)used.end % sizeof(float)); /* the caller may have given it no whole end */
    finder.view = view;
    finder.arena = &used;
    finder.end = used.end;
    error = dg_detect_sizes(&finder, thorough);
    if (!error)
        error = dg_suppress(&finder, capacity < DG_BOXES_MAX_DETECTIONS ? capacity : DG_BOXES_MAX_DETECTIONS, &kept, count);
    for (n = 0; !error && n < *count; n++) {
        boxes[n] = dg_box_at(&finder, kept[n]);
        scores[n] = finder.scores[dg_found_at(&finder, kept[n])->level];
    }
    return error;
}

/* --- Memory ------------------------------------------------------------------------------------------------------- */

static size_t dg_largest(size_t one, size_t other) { return one > other ? one : other; }

/* Bytes that are needed while a picture is seen, without the picture; `found` of what is found so far, which grows. */
static size_t dg_detect_at_bytes(int32_t width, int32_t height, int is_plain, size_t *found) {
    int32_t rows = dg_piece_count(height), columns = dg_piece_count(width);
    int32_t piece_width = dg_piece_length(width, columns), piece_height = dg_piece_length(height, rows);
    int32_t framed_rows = dg_framed_length(piece_height), framed_columns = dg_framed_length(piece_width);
    size_t cells = (size_t)framed_rows * (size_t)framed_columns / (DG_DETECTOR_STRIDE * DG_DETECTOR_STRIDE);
    size_t most = cells < DG_DETECTOR_MAX_CELLS ? cells : DG_DETECTOR_MAX_CELLS, largest, before, after;
    size_t planes = dg_planes_bytes(piece_width, piece_height, is_plain, &largest);
    size_t all = most * (size_t)rows * (size_t)columns * sizeof(struct dg_found), last = *found + all;
    /* before the network has run on the last piece, and after that */
    before = last - most * sizeof(struct dg_found) +
             dg_largest(largest, dg_run_bytes(&dg_detector, framed_rows, framed_columns));
    after = last + dg_output_bytes(&dg_detector, framed_rows, framed_columns);
    *found = last;
    return planes + dg_largest(before, after);
}

static void dg_shrunk_size(int32_t width, int32_t height, int32_t side, int32_t *new_width, int32_t *new_height) {
    *new_width = width;
    *new_height = height;
    if ((width > height ? width : height) > side) dg_fitted(width, height, side, new_width, new_height);
}

/* Bytes of the picture at a size with an even background, and of seeing it. */
static size_t dg_detect_evened_bytes(int32_t width, int32_t height, int32_t side, size_t *found) {
    int32_t new_width, new_height;
    size_t picture, before = *found, evening;
    dg_shrunk_size(width, height, side, &new_width, &new_height);
    if (new_width == width && new_height == height)
        return dg_largest(before + dg_background_bytes(width),
                          DG_BACKGROUND_MEDIAN_SIDE * DG_BACKGROUND_MEDIAN_SIDE + dg_detect_at_bytes(width, height, 0, found));
    picture = DG_BYTES((size_t)new_width * (size_t)new_height);
    evening = dg_largest(picture + dg_even_in_place_bytes(new_width), dg_shrunk_bytes(width, height, side)) + before;
    return dg_largest(evening, picture + dg_detect_at_bytes(new_width, new_height, 1, found));
}

static size_t dg_suppress_bytes(size_t found, int32_t limit) {
    size_t count = found / sizeof(struct dg_found), kept = count < (size_t)limit ? count : (size_t)limit;
    return found + DG_BYTES(count * sizeof(int32_t)) + DG_BYTES(kept * sizeof(int32_t)) +
           DG_BYTES(kept * sizeof(struct dg_edges));
}

size_t dg_detect_bytes(int32_t width, int32_t height, int32_t capacity) {
    int32_t longer = width > height ? width : height, middle, coarse, small_width, small_height, coarse_width, coarse_height;
    double span = dg_span(width, height), times = (double)longer / span;
    size_t found = 0, most, pictures;
    middle = dg_side_at(DG_DETECTOR_MIDDLE, times);
    coarse = dg_side_at(DG_DETECTOR_COARSE, times);
    dg_shrunk_size(width, height, middle, &small_width, &small_height);
    dg_shrunk_size(small_width, small_height, coarse, &coarse_width, &coarse_height);
    pictures = dg_shrunk_bytes(width, height, middle) + dg_shrunk_bytes(small_width, small_height, coarse);
    most = pictures + dg_detect_at_bytes(coarse_width, coarse_height, longer > coarse, &found);
    if (longer > DG_DETECTOR_COARSE) {
        int32_t side = DG_DETECTOR_FINE;
        most = dg_largest(most, dg_detect_evened_bytes(width, height, middle, &found));
        if (span > DG_DETECTOR_FINE_GAIN * DG_DETECTOR_MIDDLE)
            most = dg_largest(most, dg_detect_evened_bytes(width, height, dg_side_at(side, times), &found));
        for (; span > DG_DETECTOR_FINER_GAIN * (double)side; side *= 2) {
            most = dg_largest(most, dg_suppress_bytes(found, DG_BOXES_MAX_DETECTIONS));
            most = dg_largest(most, dg_detect_evened_bytes(width, height, dg_side_at(2 * side, times), &found));
        }
    }
    if (capacity > DG_BOXES_MAX_DETECTIONS) capacity = DG_BOXES_MAX_DETECTIONS;
    return dg_largest(most, dg_suppress_bytes(found, capacity)) + 2 * DG_ALIGN;
}
