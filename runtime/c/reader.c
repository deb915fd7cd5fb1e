/* The third level: a picture in, a reading out. What runtime/reader.py and orientation.py do, in their order.
 *
 * The arena holds, from its front: the sets of candidates, of which one is upright and one the best so far; then what a
 * rotation takes while it is tried; at the end the reading. */
#include "internal.h"

DG_BEGIN_SMALL

#define DG_DEGREES 57.29577951308232 /* of a radian */
#define DG_PIXELS_PER_CANDIDATE 128  /* of a picture; more candidates than that are texture, and left out */
#define DG_MIN_CANDIDATES 64         /* of a picture, however small */
#define DG_MAX_TILT 51               /* degrees; a line of linked boxes is not steeper */
#define DG_SLACK 2048                /* bytes; of what pieces of the arena are rounded up to */

/* The candidates of the picture at a rotation. */
struct dg_attempt {
    int32_t degrees;
    int32_t border; /* pixels that the picture was framed with while it was looked at */
    int32_t halvings; /* how often it was halved within this border */
    int32_t count;
    struct dg_scores scores_of; /* how well it reads */
    struct digitocr_box *boxes; /* in the picture at that rotation, without the border */
    float *scores;
    float *probabilities; /* dg_classes() for each */
    float *confidence;
};

/* What all steps share. */
struct dg_reader {
    const struct digitocr_picture *picture;
    const struct digitocr_options *options;
    struct dg_arena arena;
    int32_t capacity, classes;
    struct dg_attempt attempts[4];
};

static int32_t dg_capacity(int32_t width, int32_t height) {
    int64_t count = (int64_t)width * height / DG_PIXELS_PER_CANDIDATE;
    return count < DG_MIN_CANDIDATES         ? DG_MIN_CANDIDATES
           : count < DG_BOXES_MAX_DETECTIONS ? (int32_t)count
                                             : DG_BOXES_MAX_DETECTIONS;
}

/* Candidates at most with those that only the recognizer finds; as many signs and words are kept. */
static int32_t dg_total(int32_t capacity) { return capacity + capacity / 2; }

/* Sets of candidates that are held at once: the upright ones, the best, another rotation, and either in a border. */
static int32_t dg_attempts(const struct digitocr_options *options) {
    return options->mode != DIGITOCR_MODE_SINGLE && options->rotate == DIGITOCR_ROTATE_AUTO ? 4 : 2;
}

static int dg_take_attempt(struct dg_reader *reader, struct dg_attempt *made) {
    size_t count = (size_t)reader->capacity;
    memset(made, 0, sizeof *made);
    made->boxes = dg_take(&reader->arena, count * sizeof *made->boxes);
    made->scores = dg_take(&reader->arena, count * sizeof *made->scores);
    made->probabilities = dg_take(&reader->arena, count * (size_t)reader->classes * sizeof *made->probabilities);
    made->confidence = dg_take(&reader->arena, count * sizeof *made->confidence);
    return made->boxes && made->scores && made->probabilities && made->confidence ? DIGITOCR_OK : DIGITOCR_ERROR_MEMORY;
}

/* Keeps one of the attempts, in the memory of the first. */
static struct dg_attempt *dg_keep_attempt(struct dg_reader *reader, const struct dg_attempt *best) {
    struct dg_attempt *first = &reader->attempts[0], made = *best;
    size_t count = (size_t)made.count;
    made.boxes = memmove(first->boxes, best->boxes, count * sizeof *made.boxes);
    made.scores = memmove(first->scores, best->scores, count * sizeof *made.scores);
    made.probabilities = memmove(first->probabilities, best->probabilities,
                                 count * (size_t)reader->classes * sizeof *made.probabilities);
    made.confidence = memmove(first->confidence, best->confidence, count * sizeof *made.confidence);
    *first = made;
    reader->arena.at = (unsigned char *)made.confidence + DG_BYTES((size_t)reader->capacity * sizeof *made.confidence);
    return first;
}

/* The box, `factor` times as large about its centre (boxes.scaled). */
static struct digitocr_box dg_scaled(const struct digitocr_box *box, double factor) {
    struct digitocr_box made;
    float share = (float)factor;
    made.width = share * box->width;
    made.height = share * box->height;
    made.x = box->x + box->width / 2.0F - made.width / 2.0F;
    made.y = box->y + box->height / 2.0F - made.height / 2.0F;
    return made;
}

/* The probabilities of the digits in boxes of a picture: the means over two crops of each. */
static int dg_classify_boxes(struct dg_reader *reader, const struct dg_view *view, const struct digitocr_box *boxes, int32_t count, float *probabilities) {
    static const double scales[] = DG_READER_CROP_SCALES;
    unsigned char *mark = reader->arena.at;
    struct dg_view even;
    uint8_t crop[DIGITOCR_SIDE * DIGITOCR_SIDE];
    float one[DIGITOCR_MAX_CLASSES];
    int32_t n, k, scale;
    int error = count ? dg_shadeless(view, boxes, count, &reader->arena, &even) : DIGITOCR_OK;
    for (n = 0; n < count && !error; n++) {
        float *means = probabilities + n * reader->classes;
        for (scale = 0; scale < 2 && !error; scale++) {
            struct digitocr_box box = dg_scaled(&boxes[n], scales[scale]);
            error = dg_crop(&even, &box, &reader->arena, crop);
            if (!error)
                error = dg_probabilities_of(crop, &reader->arena, scale ? one : means);
        }
        for (k = 0; k < reader->classes; k++)
            means[k] = (means[k] + one[k]) / 2.0F;
    }
    reader->arena.at = mark;
    return error;
}

/* --- Frames (background.py) --------------------------------------------------------------------------------------- */

static void dg_count_levels(const struct digitocr_picture *picture, int32_t *counts) {
    int32_t row, column;
    memset(counts, 0, 256 * sizeof *counts);
    for (row = 0; row < picture->height; row++) {
        const uint8_t *pixels = picture->pixels + row * picture->stride;
        for (column = 0; column < picture->width; column++)
            counts[pixels[column]]++;
    }
}

/* The same of the outermost pixels; those of the corners count twice. */
static void dg_count_edge(const struct digitocr_picture *picture, int32_t *counts) {
    const uint8_t *first = picture->pixels, *last = first + (picture->height - 1) * picture->stride;
    int32_t row, column;
    memset(counts, 0, 256 * sizeof *counts);
    for (column = 0; column < picture->width; column++) {
        counts[first[column]]++;
        counts[last[column]]++;
    }
    for (row = 0; row < picture->height; row++) {
        counts[first[row * picture->stride]]++;
        counts[first[row * picture->stride + picture->width - 1]]++;
    }
}

/* Twice the median, by how often each value occurs: that of an even number of values is the mean of two. */
static int32_t dg_twice_median(const int32_t *counts, int32_t values) {
    int64_t total = 0, below = 0;
    int32_t value, low = -1, high = -1;
    for (value = 0; value < values; value++)
        total += counts[value];
    for (value = 0; value < values && high < 0; value++) {
        below += counts[value];
        if (low < 0 && below >= (total + 1) / 2)
            low = value;
        if (below >= total / 2 + 1)
            high = value;
    }
    return low + high;
}

/* The box around the pixels that differ most from the median; the whole picture where there are none. */
static struct digitocr_box dg_ink_box(const struct digitocr_picture *picture) {
    struct digitocr_box box = {0.0F, 0.0F, 0.0F, 0.0F};
    int32_t counts[256], median, strongest = 0, level, row, column;
    int32_t left = picture->width, right = -1, top = -1, bottom = -1;
    dg_count_levels(picture, counts);
    median = dg_twice_median(counts, 256) / 2;
    for (level = 0; level < 256; level++) {
        int32_t difference = level < median ? median - level : level - median;
        if (counts[level] && difference > strongest)
            strongest = difference;
    }
    for (row = 0; row < picture->height; row++)
        for (column = 0; column < picture->width; column++) {
            int32_t difference = picture->pixels[row * picture->stride + column] - median;
            difference = difference < 0 ? -difference : difference;
            if ((double)difference > DG_BACKGROUND_INK_SHARE * strongest) {
                left = column < left ? column : left;
                right = column > right ? column : right;
                top = top < 0 ? row : top;
                bottom = row;
            }
        }
    box.width = (float)picture->width;
    box.height = (float)picture->height;
    if (right >= 0) {
        box.x = (float)left;
        box.y = (float)top;
        box.width = (float)(right - left + 1);
        box.height = (float)(bottom - top + 1);
    }
    return box;
}

/* Whether a digit in a box fills the picture and touches its edge. */
static int dg_is_full_with(const struct digitocr_picture *picture, const struct digitocr_box *box) {
    int32_t shorter = picture->width < picture->height ? picture->width : picture->height;
    float width = (float)picture->width, height = (float)picture->height;
    float longer = box->width > box->height ? box->width : box->height, room = box->x, other;
    float near = longer < (float)shorter ? longer : (float)shorter;
    room = box->y < room ? box->y : room;
    other = width - box->x - box->width;
    room = other < room ? other : room;
    other = height - box->y - box->height;
    room = other < room ? other : room;
    return longer >= (float)(DG_BACKGROUND_FULL_SHARE * shorter) && room <= (float)DG_BACKGROUND_EDGE_SHARE * near;
}

/* Whether digits fill the picture and touch its edge, so that too little background is seen. Where no candidate is
 * sure, the picture's ink decides, if its edge is even: on paper in uneven light a border would be a mark of its own.
 */
static int dg_is_full(const struct digitocr_picture *picture, const struct dg_attempt *attempt) {
    struct digitocr_box ink;
    int32_t counts[256], differences[511], level, twice, strongest = 0, n, any = 0;
    for (n = 0; n < attempt->count; n++)
        if (attempt->scores[n] >= (float)DG_DETECTOR_SURE_SCORE) {
            any = 1;
            if (dg_is_full_with(picture, &attempt->boxes[n]))
                return 1;
        }
    if (any)
        return 0;
    dg_count_edge(picture, counts);
    twice = dg_twice_median(counts, 256);
    memset(differences, 0, sizeof differences);
    for (level = 0; level < 256; level++)
        differences[2 * level < twice ? twice - 2 * level : 2 * level - twice] += counts[level];
    dg_count_levels(picture, counts);
    for (level = 0; level < 256; level++) {
        int32_t difference = 2 * level < twice ? twice - 2 * level : 2 * level - twice;
        if (counts[level] && difference > strongest)
            strongest = difference;
    }
    if (dg_twice_median(differences, 511) / 4.0 > DG_BACKGROUND_QUIET_SHARE * (strongest / 2.0))
        return 0;
    ink = dg_ink_box(picture);
    return dg_is_full_with(picture, &ink);
}

/* How often a picture is halved before it gets a border, and the width of that. */
static int32_t dg_border_of(int32_t width, int32_t height, int32_t *halvings) {
    int32_t shorter = width < height ? width : height, longer = width < height ? height : width, border;
    *halvings = 0;
    while (longer >> *halvings > DG_BACKGROUND_FRAMED_SIDE && shorter >> (*halvings + 1) >= DG_BACKGROUND_FRAMED_SHORTER)
        ++*halvings;
    border = (int32_t)dg_round(DG_BACKGROUND_BORDER_SHARE * (shorter >> *halvings));
    return border < 1 ? 1 : border;
}

/* The picture, halved if it is large, in a border of the median of its edge pixels. */
static struct dg_view dg_framed(const struct digitocr_picture *picture) {
    int32_t counts[256], halvings, border = dg_border_of(picture->width, picture->height, &halvings);
    struct dg_view view;
    dg_count_edge(picture, counts);
    view = dg_view_of(picture, border, dg_twice_median(counts, 256) / 2);
    view.halvings = halvings;
    view.width = (picture->width >> halvings) + 2 * border;
    view.height = (picture->height >> halvings) + 2 * border;
    return view;
}

/* --- Rotations (orientation.py) ----------------------------------------------------------------------------------- */

/* The candidates that the detector finds in a picture, and what the classifier says of them. */
static int dg_detected(struct dg_reader *reader, const struct dg_view *view, int thorough, struct dg_attempt *made) {
    struct dg_arena *arena = &reader->arena;
    int error = dg_detect(view, thorough, reader->capacity, made->boxes, made->scores, &made->count, arena);
    if (!error)
        error = dg_classify_boxes(reader, view, made->boxes, made->count, made->probabilities);
    if (!error)
        error = dg_candidate_confidences(made->boxes, made->scores, made->probabilities, reader->classes, made->count,
                                         arena, made->confidence);
    if (!error)
        error = dg_reading_scores(made->probabilities, reader->classes, made->confidence, made->count, arena,
                                  &made->scores_of);
    return error;
}

static double dg_lone_of(const float *probabilities) {
    float best = probabilities[0];
    int32_t n;
    for (n = 1; n < 10; n++)
        best = probabilities[n] > best ? probabilities[n] : best;
    return dg_lone_confidence((double)best);
}

/* All ink of a picture of one digit as the candidate, where the detector has none. The caller states that the picture
 * is a digit, so the probability of "no digit" is shared out among the digits. */
static int dg_read_ink(struct dg_reader *reader, const struct digitocr_picture *picture, struct dg_attempt *made) {
    struct dg_view view = dg_view_of(picture, 0, 0);
    float whole = 0.0F;
    int32_t n;
    int error;
    made->count = 1;
    made->boxes[0] = dg_ink_box(picture);
    made->scores[0] = (float)DG_DETECTOR_MIN_SCORE;
    error = dg_classify_boxes(reader, &view, made->boxes, 1, made->probabilities);
    if (error)
        return error;
    whole = dg_digits_share(made->probabilities);
    for (n = 0; n < 10; n++)
        made->probabilities[n] /= whole;
    made->confidence[0] = (float)dg_lone_of(made->probabilities);
    return DIGITOCR_OK;
}

static int32_t dg_fixed_rotation(const struct dg_reader *reader) {
    return reader->options->rotate == DIGITOCR_ROTATE_AUTO ? 0 : reader->options->rotate;
}

/* Reads the picture at a rotation into one of the attempts; another one is used on the way. Where its digits may touch
 * its edges, they are also looked for in a border, and the better attempt is taken. */
static int dg_read_at(struct dg_reader *reader, int32_t degrees, struct dg_attempt **made, struct dg_attempt **spare) {
    unsigned char *mark = reader->arena.at;
    struct digitocr_picture rotated;
    struct dg_view view;
    int32_t n, border;
    int error = dg_turn(reader->picture, degrees, &reader->arena, &rotated);
    view = dg_view_of(&rotated, 0, 0);
    if (!error)
        error = dg_detected(reader, &view, degrees == dg_fixed_rotation(reader), *made);
    if (!error && dg_is_full(&rotated, *made)) {
        view = dg_framed(&rotated);
        border = view.border;
        error = dg_detected(reader, &view, 0, *spare);
        (*spare)->border = border;
        (*spare)->halvings = view.halvings;
        if (!error && (*spare)->scores_of.reading > (*made)->scores_of.reading) {
            struct dg_attempt *other = *made;
            *made = *spare;
            *spare = other;
            for (n = 0; n < (*made)->count; n++) {
                struct digitocr_box *box = &(*made)->boxes[n];
                const float scale = (float)((int32_t)1 << view.halvings);
                box->x = (box->x - (float)border) * scale;
                box->y = (box->y - (float)border) * scale;
                box->width *= scale;
                box->height *= scale;
            }
        } else {
            border = 0;
        }
    } else {
        border = 0;
    }
    (*made)->degrees = degrees;
    (*made)->border = border;
    if (!error && reader->options->mode == DIGITOCR_MODE_SINGLE && (*made)->count == 0)
        error = dg_read_ink(reader, &rotated, *made);
    reader->arena.at = mark;
    return error;
}

/* A crop, turned clockwise by 90, 180 or 270 degrees. */
static void dg_turn_crop(const uint8_t *crop, int32_t degrees, uint8_t *to) {
    const int32_t last = DIGITOCR_SIDE - 1;
    int32_t row, column;
    for (row = 0; row <= last; row++)
        for (column = 0; column <= last; column++)
            to[row * DIGITOCR_SIDE + column] =
                degrees == 90    ? crop[(last - column) * DIGITOCR_SIDE + row]
                : degrees == 180 ? crop[(last - row) * DIGITOCR_SIDE + last - column]
                                 : crop[column * DIGITOCR_SIDE + last - row];
}

/* Whether candidates, those that are read or all, look more like digits with each crop turned by 90, 180 or 270 degrees:
 * over `least` times what they look like as they are. */
static int dg_looks_better(struct dg_reader *reader, const struct dg_attempt *attempt, int is_all, int32_t degrees,
                           double least, int *is_better) {
    static const double scales[] = DG_READER_CROP_SCALES;
    unsigned char *mark = reader->arena.at;
    struct dg_arena *arena = &reader->arena;
    float *as_is = dg_take_array(arena, attempt->count, sizeof *as_is);
    float *turned = dg_take_array(arena, attempt->count, sizeof *turned);
    struct digitocr_box *boxes = dg_take_array(arena, attempt->count, sizeof *boxes);
    struct digitocr_picture picture;
    struct dg_view view, even;
    int32_t n, looked = 0, count = is_all ? attempt->count : attempt->scores_of.read;
    int error;
    *is_better = 0;
    if (!as_is || !turned || !boxes)
        return DIGITOCR_ERROR_MEMORY;
    error = count ? dg_turn(reader->picture, attempt->degrees, arena, &picture) : DIGITOCR_OK;
    for (n = 0; n < attempt->count; n++) {
        const float scale = attempt->border ? (float)((int32_t)1 << attempt->halvings) : 1.0F;
        boxes[n] = attempt->boxes[n];
        boxes[n].x = boxes[n].x / scale + (float)attempt->border;
        boxes[n].y = boxes[n].y / scale + (float)attempt->border;
        boxes[n].width /= scale;
        boxes[n].height /= scale;
    }
    if (!error && count) {
        view = attempt->border ? dg_framed(&picture) : dg_view_of(&picture, 0, 0);
        error = dg_shadeless(&view, boxes, attempt->count, arena, &even);
    }
    for (n = 0; n < attempt->count && !error; n++) {
        struct digitocr_box box = dg_scaled(&boxes[n], scales[0]);
        const float *probabilities = attempt->probabilities + n * reader->classes;
        uint8_t crop[DIGITOCR_SIDE * DIGITOCR_SIDE], turned_crop[DIGITOCR_SIDE * DIGITOCR_SIDE];
        float likely[DIGITOCR_MAX_CLASSES];
        if (!is_all && !(attempt->confidence[n] >= (float)DG_ATTEMPT_READ_CONFIDENCE))
            continue;
        error = dg_crop(&even, &box, arena, crop);
        if (error)
            break;
        dg_turn_crop(crop, degrees, turned_crop);
        error = dg_probabilities_of(turned_crop, arena, likely);
        if (error)
            break;
        as_is[looked] = probabilities[dg_argmax(probabilities, 10)];
        turned[looked++] = likely[dg_argmax(likely, 10)];
    }
    *is_better = !error && dg_float_sum(turned, looked, 1) > (float)least * dg_float_sum(as_is, looked, 1);
    arena->at = mark;
    return error;
}

static int dg_reads_surely(const struct dg_attempt *attempt, double confidence) {
    return attempt->scores_of.read >= DG_ORIENTATION_MIN_DIGITS && attempt->scores_of.mean >= confidence;
}

/* Reads the picture at another rotation; it becomes the best if it reads better, by more than `least` at least. */
static int dg_try(struct dg_reader *reader, int32_t degrees, double least, double confidence, struct dg_attempt **best,
                  struct dg_attempt **made, struct dg_attempt **spare) {
    int error = dg_read_at(reader, degrees, made, spare);
    if (!error && (*made)->scores_of.upright > least && (*made)->scores_of.upright > (*best)->scores_of.upright &&
        (confidence <= 0.0 || dg_reads_surely(*made, confidence))) {
        struct dg_attempt *other = *best;
        *best = *made;
        *made = other;
    }
    return error;
}

/* Whether lines that steep are made level in a picture of that size: turned, a long strip would be a square. */
static int dg_may_be_level(int32_t width, int32_t height, int32_t tilt) {
    int32_t turned_width, turned_height;
    dg_turned_size(width, height, tilt, &turned_width, &turned_height);
    return tilt >= DG_ORIENTATION_MIN_TILT &&
           (int64_t)turned_width * turned_height <= (int64_t)DG_ORIENTATION_MAX_GROWTH * width * height;
}

/* *best: the attempt that reads best. *upright: the better one of the picture as it is and with its lines level; it is
 * kept even if another one is best. */
static int dg_best_attempt(struct dg_reader *reader, struct dg_attempt **upright, struct dg_attempt **best) {
    struct dg_attempt *made = &reader->attempts[1], *spare = &reader->attempts[2];
    int32_t others[3], other_count = 0, tilt = 0, side, n;
    unsigned char *mark = reader->arena.at;
    int32_t *rows;
    double angle, required, sure;
    int is_better, error;
    *best = &reader->attempts[0];
    error = dg_read_at(reader, 0, best, &spare);
    *upright = *best;
    if (error || (*best)->count == 0)
        return error;
    if ((*best)->scores_of.upright > 0.0 && (*best)->count < DG_ORIENTATION_MIN_DIGITS &&
        dg_is_close_up(reader->picture->width, reader->picture->height, (*best)->boxes, (*best)->count))
        return error;
    rows = dg_take_array(&reader->arena, (*best)->count, sizeof *rows);
    if (!rows)
        return DIGITOCR_ERROR_MEMORY;
    for (n = 0; n < (*best)->count; n++)
        if ((*best)->scores[n] >= (float)DG_DETECTOR_SURE_SCORE)
            rows[tilt++] = n;
    error = dg_slope((*best)->boxes, rows, tilt, &reader->arena, &angle);
    reader->arena.at = mark;
    tilt = (int32_t)dg_round(angle * DG_DEGREES);
    if (!error && dg_may_be_level(reader->picture->width, reader->picture->height, tilt < 0 ? -tilt : tilt))
        error = dg_try(reader, (360 - tilt) % 360, 0.0, 0.0, best, &made, &spare);
    if (error)
        return error;
    *upright = *best;
    sure = (*best)->scores_of.read >= DG_ORIENTATION_MANY_DIGITS ? DG_ORIENTATION_SURE_OF_MANY
                                                                 : DG_ORIENTATION_SURE_CONFIDENCE;
    for (side = 90; side <= 270 && !error && !dg_reads_surely(*best, sure); side += 180) {
        is_better = (*best)->scores_of.read < DG_ORIENTATION_MIN_DIGITS;
        if (!is_better)
            error = dg_looks_better(reader, *best, 1, side, DG_ORIENTATION_SIDE_LOOK, &is_better);
        if (is_better)
            others[other_count++] = side;
    }
    if (!error)
        error = dg_looks_better(reader, *best, 0, 180, 1.0, &is_better);
    if (!error && is_better)
        others[other_count++] = ((*best)->degrees + 180) % 360;
    required = DG_ORIENTATION_MIN_GAIN * (*best)->scores_of.upright;
    for (n = 0; n < other_count && !error; n++) {
        error = dg_try(reader, others[n], required, DG_ORIENTATION_TURNED_CONFIDENCE, best, &made, &spare);
        made = made == *upright ? &reader->attempts[3] : made;
    }
    return error;
}

/* --- Lines (recognition.py) --------------------------------------------------------------------------------------- */

/* What a picture shows after its lines are read. */
struct dg_result {
    struct dg_recognition lines;
    float *digits; /* 10 probabilities for each candidate, by both networks */
    float *confidence, *places;
    int32_t why; /* of enum digitocr_why, for candidates that are not read */
};

/* The longest strip of a picture of that size: of digits that are 4 pixels high, along its diagonal. What lines of
 * smaller marks have beyond it is left out. */
static int32_t dg_longest_strip(int32_t width, int32_t height) {
    int64_t longer = width > height ? width : height, most = 88 + longer * 15 / 2 / DG_MULTIPLE * DG_MULTIPLE;
    return most < DG_STRIPS_MAX_WIDTH ? (int32_t)most : DG_STRIPS_MAX_WIDTH;
}

/* The probabilities of the columns of a look; they stay in the arena. */
static float *dg_take_columns(struct dg_reader *reader, const struct dg_output *logits, int32_t count) {
    float *columns = dg_take_array(&reader->arena, count, DG_CLASS_COUNT * sizeof *columns);
    int32_t n;
    for (n = 0; n < count && columns; n++)
        dg_column_of(logits, n, columns + n * DG_CLASS_COUNT);
    return columns;
}

/* Looks at the line that stands in a place of the picture: the network's output, and the probabilities of its columns.
 * *behind is the arena's place between them. */
static int dg_first_look(struct dg_reader *reader, const struct digitocr_picture *picture, const struct dg_place *place,
                         struct dg_output *look, unsigned char **behind, float **columns) {
    int error = dg_look(picture, place, &reader->arena, look);
    *behind = reader->arena.at;
    *columns = error ? NULL : dg_take_columns(reader, look, place->width / DG_COLUMN);
    return error ? error : *columns ? DIGITOCR_OK : DIGITOCR_ERROR_MEMORY;
}

/* Reads the line that stands in a place of the picture, or where those of its candidates stand that it shows as clear
 * digits. A look is held as the network's bytes while another one is taken, and its probabilities are computed again. */
static int dg_read_line(struct dg_reader *reader, const struct digitocr_picture *picture, const struct dg_place *place,
                        const int32_t *rows, const int32_t *seeds, int32_t seed_count, struct dg_recognition *lines) {
    struct dg_arena *arena = &reader->arena;
    unsigned char *mark = arena->at, *behind;
    struct dg_place limited = *place, fitted, closer;
    struct dg_output first, second;
    int32_t longest = dg_longest_strip(reader->picture->width, reader->picture->height), count, n;
    float *columns;
    int is_off = 0, is_doubtful = 0, error;
    limited.width = limited.width > longest ? longest : limited.width;
    error = dg_first_look(reader, picture, &limited, &first, &behind, &columns);
    if (!error)
        error = dg_fit_place(lines->boxes, seeds, seed_count, place, rows, columns, limited.width / DG_COLUMN, arena,
                             &fitted, &is_off);
    if (!error && is_off) {
        arena->at = mark;
        limited = fitted;
        limited.width = limited.width > longest ? longest : limited.width;
        error = dg_first_look(reader, picture, &limited, &first, &behind, &columns);
    }
    count = limited.width / DG_COLUMN;
    if (!error)
        error = dg_is_doubtful(columns, count, arena, &is_doubtful);
    if (!error && is_doubtful) {
        closer = dg_closer(&limited, longest);
        arena->at = behind;
        error = dg_look(picture, &closer, arena, &second);
        columns = error ? NULL : dg_take_columns(reader, &first, count);
        for (n = 0; n < count && columns; n++) {
            float seen[DG_CLASS_COUNT];
            dg_column_of(&second, dg_closer_column(n, closer.width / DG_COLUMN), seen);
            dg_take_means(columns + n * DG_CLASS_COUNT, seen);
        }
        if (!error && !columns)
            error = DIGITOCR_ERROR_MEMORY;
    }
    if (!error) { /* the looks are needed no more */
        size_t bytes = (size_t)count * DG_CLASS_COUNT * sizeof *columns;
        memmove(mark, columns, bytes);
        arena->at = mark + DG_BYTES(bytes);
        error = dg_read_strip(lines, &limited, rows, (float *)(void *)mark, count, arena);
    }
    arena->at = mark;
    return error;
}

/* Why candidates are not read whose lines show this. */
static int32_t dg_why_of(const struct dg_recognition *lines) {
    int32_t n, k;
    int digits = 0, characters = 0, any = 0;
    for (n = 0; n < lines->count; n++) {
        const float *seen = lines->lined + n * DG_CLASS_COUNT;
        int32_t kind = dg_kind(seen);
        int is_on_line = 0;
        for (k = 0; k < DG_GAP; k++)
            is_on_line = is_on_line || seen[k] != 0.0F;
        any = any || is_on_line;
        digits = digits || (is_on_line && kind == DG_KIND_DIGIT);
        characters = characters || (is_on_line && kind != DG_KIND_GAP);
    }
    return !any || digits ? DIGITOCR_WHY_UNSURE : characters ? DIGITOCR_WHY_NO_DIGITS : DIGITOCR_WHY_NO_CHARACTERS;
}

/* Reads the lines of an attempt, those with the most and the largest digits first; the results stay in the arena. */
static int dg_read_lines(struct dg_reader *reader, const struct digitocr_picture *picture,
                         const struct dg_attempt *attempt, struct dg_result *found) {
    struct dg_arena *arena = &reader->arena;
    struct dg_recognition *lines = &found->lines;
    struct dg_view view = dg_view_of(picture, 0, 0);
    struct dg_places places;
    int32_t total = dg_total(reader->capacity), count = attempt->count, classes = reader->classes, seed_count = 0, n;
    unsigned char *mark;
    float *read, *scores, *before, elsewhere[2];
    double *keys;
    int32_t *seeds, *order;
    int error;
    found->digits = dg_take_array(arena, total, 10 * sizeof *found->digits);
    found->confidence = dg_take_array(arena, total, sizeof *found->confidence);
    found->places = dg_take_array(arena, total, sizeof *found->places);
    error = dg_take_recognition(lines, total, total, arena);
    mark = arena->at;
    seeds = dg_take_array(arena, count, sizeof *seeds); /* the candidates that lines are made of */
    if (error || !found->digits || !found->confidence || !found->places || !seeds)
        return DIGITOCR_ERROR_MEMORY;
    dg_begin_recognition(lines, attempt->boxes, count);
    for (n = 0; n < count; n++)
        if (attempt->confidence[n] >= (float)DG_RECOGNITION_SEED_CONFIDENCE)
            seeds[seed_count++] = n;
    error = dg_find_places(attempt->boxes, seeds, seed_count, arena, &places);
    if (!error && !places.count) { /* all that is drawn, as one line */
        struct digitocr_box *ink = dg_take_array(arena, 1, sizeof *ink);
        int32_t first = 0;
        if (!ink)
            return DIGITOCR_ERROR_MEMORY;
        *ink = dg_ink_box(picture);
        error = dg_find_places(ink, &first, 1, arena, &places);
        if (!error)
            places.places[0].count = 0;
    }
    keys = dg_take_array(arena, places.count, sizeof *keys);
    order = dg_take_array(arena, places.count, sizeof *order);
    if (error || !keys || !order)
        return DIGITOCR_ERROR_MEMORY;
    for (n = 0; n < places.count; n++)
        keys[n] = -(places.places[n].count * places.places[n].scale);
    dg_argsort(keys, places.count, order);
    /* large lines first: what is a comma or a degree sign beside their digits makes no line of its own */
    for (n = 0; n < places.count && !error; n++) {
        const struct dg_place *place = &places.places[order[n]];
        if (!dg_is_read_already(lines, place, places.rows + place->first))
            error = dg_read_line(reader, picture, place, places.rows + place->first, seeds, seed_count, lines);
    }
    arena->at = mark;
    if (!error)
        error = dg_keep_distinct(lines, arena);
    if (error)
        return error;
    read = dg_take_array(arena, lines->count * classes, sizeof *read);
    scores = dg_take_array(arena, lines->count, sizeof *scores);
    before = dg_take_array(arena, lines->count, sizeof *before);
    if (!read || !scores || !before)
        return DIGITOCR_ERROR_MEMORY;
    memcpy(read, attempt->probabilities, (size_t)(count * classes) * sizeof *read);
    memcpy(scores, attempt->scores, (size_t)count * sizeof *scores);
    for (n = count; n < lines->count; n++) /* as if the detector were undecided */
        scores[n] = (float)DG_RECOGNITION_UNDECIDED;
    error = dg_classify_boxes(reader, &view, lines->boxes + count, lines->count - count, read + count * classes);
    if (!error)
        error = dg_candidate_confidences(lines->boxes, scores, read, classes, lines->count, arena, before);
    memcpy(before, attempt->confidence, (size_t)count * sizeof *before);
    for (n = 0; n < lines->count && !error; n++) {
        const float *seen = lines->lined + n * DG_CLASS_COUNT;
        dg_combined(read + n * classes, seen, found->digits + n * 10);
        dg_elsewhere(lines, n, elsewhere);
        dg_character_confidences(before[n], n < count, read + n * classes, seen, found->digits + n * 10,
                                 lines->beside + 2 * n, elsewhere, lines->boxes[n].height / (float)picture->height,
                                 &found->confidence[n], &found->places[n]);
    }
    found->why = dg_why_of(lines);
    arena->at = (unsigned char *)lines->lined; /* and what lies behind it */
    return error;
}

/* The candidates of an attempt without their lines, for a picture of one digit. */
static int dg_without_lines(struct dg_reader *reader, const struct dg_attempt *attempt, struct dg_result *found) {
    int32_t n, k;
    int error = dg_take_recognition(&found->lines, attempt->count, 0, &reader->arena);
    found->digits = dg_take_array(&reader->arena, attempt->count, 10 * sizeof *found->digits);
    found->confidence = attempt->confidence;
    found->places = attempt->confidence;
    found->why = DIGITOCR_WHY_UNSURE;
    if (error || !found->digits)
        return DIGITOCR_ERROR_MEMORY;
    dg_begin_recognition(&found->lines, attempt->boxes, attempt->count);
    for (n = 0; n < attempt->count; n++)
        for (k = 0; k < 10; k++)
            found->digits[n * 10 + k] = attempt->probabilities[n * reader->classes + k];
    return DIGITOCR_OK;
}

/* --- The reading (reader.py) -------------------------------------------------------------------------------------- */

static void dg_set_digit(struct digitocr_digit *made, const float *probabilities, float confidence, int is_told,
                         const struct digitocr_box *box) {
    int32_t n, k;
    for (n = 0; n < DIGITOCR_TOPK; n++) {
        made->likely[n] = -1;
        for (k = 0; k < 10; k++) {
            int is_taken = (n > 0 && made->likely[0] == k) || (n > 1 && made->likely[1] == k);
            if (!is_taken && (made->likely[n] < 0 || probabilities[k] > probabilities[made->likely[n]]))
                made->likely[n] = k;
        }
        made->probability[n] = probabilities[made->likely[n]];
    }
    made->digit = is_told ? made->likely[0] : -1;
    made->confidence = confidence;
    made->x = (int32_t)dg_round((double)box->x);
    made->y = (int32_t)dg_round((double)box->y);
    made->width = (int32_t)dg_round((double)box->width);
    made->height = (int32_t)dg_round((double)box->height);
    made->width = made->width < 1 ? 1 : made->width;
    made->height = made->height < 1 ? 1 : made->height;
}

/* Why nothing was read (Attempt.why_nothing). */
static void dg_say_why(const struct dg_result *found, struct digitocr_reading *reading) {
    int32_t best;
    reading->regions = found->lines.count;
    reading->why = DIGITOCR_WHY_NOTHING_FOUND;
    if (!found->lines.count)
        return;
    best = dg_argmax(found->confidence, found->lines.count);
    reading->likeliest = dg_argmax(found->digits + best * 10, 10);
    reading->confidence = found->confidence[best];
    reading->why = found->why;
}

/* Writes the numbers of a line behind those that the reading has. */
static int dg_add_line(struct dg_reader *reader, const struct dg_result *found, const int32_t *rows, int32_t count,
                       float told, const struct digitocr_box *boxes, int32_t line, struct digitocr_number *numbers,
                       struct digitocr_digit *digits, char **text, struct digitocr_reading *reading) {
    struct dg_arena *arena = &reader->arena;
    unsigned char *mark = arena->at;
    struct dg_character *characters;
    struct dg_groups groups;
    int32_t character_count, n, k;
    int error = dg_line_characters(&found->lines, found->digits, 10, found->confidence, rows, count, told, arena,
                                   &characters, &character_count);
    if (error)
        return error;
    groups.groups = dg_take_array(arena, character_count, sizeof *groups.groups);
    groups.places = dg_take_array(arena, character_count, sizeof *groups.places);
    groups.texts = dg_take_array(arena, character_count, 2);
    if (!groups.groups || !groups.places || !groups.texts)
        return DIGITOCR_ERROR_MEMORY;
    error = dg_group(characters, character_count, arena, &groups);
    for (n = 0; n < groups.count && !error; n++) {
        struct digitocr_number *made = &numbers[reading->number_count++];
        size_t length = strlen(groups.groups[n].text) + 1;
        memcpy(*text, groups.groups[n].text, length);
        made->text = *text;
        *text += length;
        made->confidence = (float)groups.groups[n].confidence;
        made->line = line;
        made->first_digit = reading->digit_count;
        made->digit_count = groups.groups[n].count;
        for (k = 0; k < made->digit_count; k++) {
            const struct dg_character *one = &characters[groups.places[groups.groups[n].first + k]];
            dg_set_digit(&digits[reading->digit_count++], found->digits + one->row * 10, found->confidence[one->row],
                         one->text != DG_DOUBT, &boxes[one->row]);
        }
    }
    arena->at = mark;
    return error;
}

/* Writes the reading into the arena. */
static int dg_write_reading(struct dg_reader *reader, const struct dg_result *found, int32_t degrees,
                            int32_t width, int32_t height, struct digitocr_reading *reading) {
    struct dg_arena *arena = &reader->arena;
    const struct digitocr_options *options = reader->options;
    struct dg_lines kept;
    struct digitocr_box *boxes;
    struct digitocr_number *numbers;
    struct digitocr_digit *digits;
    char *text;
    int32_t count = found->lines.count, line;
    float told = options->mode == DIGITOCR_MODE_SINGLE ? 0.0F : options->conf;
    int error = dg_take_lines(&kept, count, arena);
    if (!error)
        error = dg_find_kept(found->lines.boxes, found->confidence, found->places, count, options->conf, options->mode,
                             arena, &kept);
    if (error)
        return error;
    boxes = dg_take_array(arena, count, sizeof *boxes);
    numbers = dg_take_array(arena, kept.starts[kept.count], sizeof *numbers);
    digits = dg_take_array(arena, kept.starts[kept.count], sizeof *digits);
    text = dg_take_array(arena, kept.starts[kept.count], 3);
    if (!boxes || !numbers || !digits || !text)
        return DIGITOCR_ERROR_MEMORY;
    dg_turned_back(found->lines.boxes, count, reader->picture->width, reader->picture->height, width, height, degrees,
                   boxes);
    reading->numbers = numbers;
    reading->digits = digits;
    reading->line_count = kept.count;
    reading->rotated = degrees;
    for (line = 0; line < kept.count && !error; line++)
        error = dg_add_line(reader, found, kept.rows + kept.starts[line], kept.starts[line + 1] - kept.starts[line],
                            told, boxes, line, numbers, digits, &text, reading);
    if (!kept.count)
        dg_say_why(found, reading);
    return error;
}

/* Reads a picture of 28x28 pixels as one digit in MNIST's form. */
static int dg_read_lone(struct dg_reader *reader, struct digitocr_reading *reading) {
    static const struct digitocr_box box = {0.0F, 0.0F, (float)DIGITOCR_SIDE, (float)DIGITOCR_SIDE};
    const struct digitocr_options *options = reader->options;
    struct digitocr_number *number = dg_take(&reader->arena, sizeof *number);
    struct digitocr_digit *digit = dg_take(&reader->arena, sizeof *digit);
    char *text = dg_take(&reader->arena, 2);
    struct digitocr_picture rotated;
    uint8_t crop[DIGITOCR_SIDE * DIGITOCR_SIDE];
    float probabilities[DIGITOCR_MAX_CLASSES];
    int is_blank = dg_is_blank(reader->picture), error;
    double confidence;
    if (!number || !digit || !text)
        return DIGITOCR_ERROR_MEMORY;
    error = dg_turn(reader->picture, dg_fixed_rotation(reader), &reader->arena, &rotated);
    if (error)
        return error;
    dg_lone(&rotated, crop);
    error = dg_probabilities_of(crop, &reader->arena, probabilities);
    if (error)
        return error;
    confidence = dg_lone_of(probabilities);
    reading->rotated = dg_fixed_rotation(reader);
    if (options->mode == DIGITOCR_MODE_SINGLE || (confidence >= (double)options->conf && !is_blank)) {
        dg_set_digit(digit, probabilities, (float)confidence, 1, &box);
        text[0] = (char)('0' + digit->digit);
        text[1] = '\0';
        number->text = text;
        number->confidence = (float)confidence;
        number->line = number->first_digit = 0;
        number->digit_count = 1;
        reading->numbers = number;
        reading->digits = digit;
        reading->number_count = reading->digit_count = reading->line_count = 1;
    } else if (is_blank) {
        reading->why = DIGITOCR_WHY_NOTHING_FOUND;
    } else {
        reading->why = DIGITOCR_WHY_UNSURE;
        reading->regions = 1;
        reading->likeliest = dg_argmax(probabilities, 10);
        reading->confidence = (float)confidence;
    }
    return DIGITOCR_OK;
}

/* Reads the lines of an attempt, in the picture at its rotation. The results stay in the arena. */
static int dg_with_lines(struct dg_reader *reader, const struct dg_attempt *attempt, struct digitocr_picture *turned,
                         struct dg_result *found) {
    int error = dg_turn(reader->picture, attempt->degrees, &reader->arena, turned);
    if (!error)
        error = dg_read_lines(reader, turned, attempt, found);
    if (!error)
        dg_without_cut_wheel(found->lines.boxes, found->confidence, found->lines.count, turned->height);
    return error;
}

/* Whether an attempt on its side or upside down reads better than the upright one after the lines of both are read:
 * letters upside down are digits for the detector. */
static int dg_turned_is_better(struct dg_reader *reader, const struct dg_attempt *upright,
                               const struct dg_attempt *turned, int *is_better) {
    unsigned char *mark = reader->arena.at;
    const struct dg_attempt *both[2];
    struct dg_scores scores[2];
    int n, error = DIGITOCR_OK;
    both[0] = upright;
    both[1] = turned;
    for (n = 0; n < 2 && !error; n++) {
        struct digitocr_picture picture;
        struct dg_result found;
        error = dg_with_lines(reader, both[n], &picture, &found);
        if (!error)
            error = dg_reading_scores(found.digits, 10, found.confidence, found.lines.count, &reader->arena, &scores[n]);
        reader->arena.at = mark;
    }
    *is_better = !error && scores[1].upright > DG_ORIENTATION_MIN_GAIN * scores[0].upright;
    return error;
}

static int dg_read_picture(struct dg_reader *reader, struct digitocr_reading *reading) {
    struct dg_attempt *best = &reader->attempts[0], *upright = best, *spare = &reader->attempts[1];
    struct digitocr_picture picture;
    struct dg_result found;
    int is_single = reader->options->mode == DIGITOCR_MODE_SINGLE, is_better = 1, n, error = DIGITOCR_OK;
    for (n = 0; n < dg_attempts(reader->options) && !error; n++)
        error = dg_take_attempt(reader, &reader->attempts[n]);
    if (error)
        return error;
    if (is_single || reader->options->rotate != DIGITOCR_ROTATE_AUTO) {
        error = dg_read_at(reader, dg_fixed_rotation(reader), &best, &spare);
    } else {
        error = dg_best_attempt(reader, &upright, &best);
        if (!error && best != upright)
            error = dg_turned_is_better(reader, upright, best, &is_better);
    }
    if (error)
        return error;
    best = dg_keep_attempt(reader, is_better ? best : upright);
    if (is_single) {
        error = dg_turn(reader->picture, best->degrees, &reader->arena, &picture);
        if (!error)
            error = dg_without_lines(reader, best, &found);
    } else {
        error = dg_with_lines(reader, best, &picture, &found);
    }
    return error ? error : dg_write_reading(reader, &found, best->degrees, picture.width, picture.height, reading);
}

struct digitocr_options digitocr_defaults(void) {
    struct digitocr_options options;
    options.conf = 0.5F;
    options.rotate = DIGITOCR_ROTATE_AUTO;
    options.mode = DIGITOCR_MODE_AUTO;
    return options;
}

static int dg_check_options(const struct digitocr_options *options) {
    int is_turn = options->rotate == DIGITOCR_ROTATE_AUTO ||
                  (options->rotate >= 0 && options->rotate < 360 && options->rotate % 90 == 0);
    int is_right = options->conf >= 0.0F && options->conf <= 1.0F && is_turn && options->mode >= DIGITOCR_MODE_AUTO &&
                   options->mode <= DIGITOCR_MODE_SINGLE;
    return is_right ? DIGITOCR_OK : DIGITOCR_ERROR_OPTIONS;
}

/* DIGITOCR_OK, or what is wrong with a picture of that size. */
static int dg_check_size(int32_t width, int32_t height) {
    int is_right = width > 0 && width <= DIGITOCR_MAX_SIDE && height > 0 && height <= DIGITOCR_MAX_SIDE;
    return is_right ? DIGITOCR_OK : DIGITOCR_ERROR_SIZE;
}

static int dg_check_picture(const struct digitocr_picture *picture) {
    if (!picture || !picture->pixels)
        return DIGITOCR_ERROR_ARGUMENT;
    if (picture->stride < (ptrdiff_t)picture->width)
        return DIGITOCR_ERROR_SIZE;
    return dg_check_size(picture->width, picture->height);
}

/* Whether a box has an area, and numbers of pixels that a picture can have. */
static int dg_is_box(const struct digitocr_box *box) {
    float most = (float)DIGITOCR_MAX_SIDE;
    return box->x >= -most && box->x <= most && box->y >= -most && box->y <= most && box->width > 0.0F &&
           box->width <= most && box->height > 0.0F && box->height <= most;
}

/* --- Memory: what is taken above, for the most that can be found ---------------------------------------------------
 */

static size_t dg_larger(size_t one, size_t other) { return one > other ? one : other; }

/* dg_classify_boxes. */
static size_t dg_classifying_bytes(int32_t width) {
    size_t digit = dg_larger(dg_crop_bytes(width), digitocr_classify_bytes());
    return dg_larger(dg_background_bytes(width), DG_BACKGROUND_MEDIAN_SIDE * DG_BACKGROUND_MEDIAN_SIDE + digit);
}

/* dg_reading_order with dg_slope, for each box. */
#define DG_ORDER_BYTES (4 * sizeof(double) + 3 * sizeof(int32_t) + 2 * sizeof(double) + sizeof(int32_t))

/* dg_find_places, for each box, for a while; and what stays of it and of the order of the lines. */
#define DG_FINDING_BYTES (6 * sizeof(int32_t) + sizeof(double) + 2 * sizeof(float) + DG_ORDER_BYTES)
#define DG_PLACES_BYTES (sizeof(struct dg_place) + 3 * sizeof(int32_t) + sizeof(double))

/* dg_join, for each box. */
#define DG_JOIN_BYTES (6 * sizeof(double) + 8 * sizeof(int32_t) + DG_ORDER_BYTES)

/* dg_detected and what it takes of a picture of that size, which is framed as well; and dg_looks_better. */
static size_t dg_detected_bytes(int32_t width, int32_t height, int32_t capacity) {
    size_t candidates = (size_t)capacity * (sizeof(struct digitocr_box) + 4 * sizeof(float) + 2 * sizeof(double));
    int32_t halvings, border = dg_border_of(width, height, &halvings);
    int32_t framed_width = (width >> halvings) + 2 * border, framed_height = (height >> halvings) + 2 * border;
    size_t plain = dg_larger(dg_detect_bytes(width, height, capacity), candidates + dg_classifying_bytes(width));
    return dg_larger(plain, dg_larger(dg_detect_bytes(framed_width, framed_height, capacity),
                                      candidates + dg_classifying_bytes(framed_width)));
}

/* dg_read_lines and dg_write_reading in a picture of that width, with strips up to the longest; look: dg_look_bytes of it. */
static size_t dg_lines_bytes(int32_t width, int32_t capacity, int32_t longest, size_t look) {
    size_t count = (size_t)capacity, total = (size_t)dg_total(capacity), columns = (size_t)(longest / DG_COLUMN);
    size_t classes = (size_t)digitocr_classes();
    size_t found = total * (sizeof(struct digitocr_box) + 12 * sizeof(float) + sizeof(struct dg_character));
    size_t seen = total * ((DG_CLASS_COUNT + 2) * sizeof(float) + 1);
    size_t strip = columns * (sizeof(struct dg_segment) + sizeof(void *) + sizeof(int32_t)) +
                   count * (2 * sizeof(int32_t) + sizeof(double) + 5 * (16 + sizeof(int32_t)));
    size_t in_columns = columns * DG_CLASS_COUNT * sizeof(float);
    size_t held = columns * DG_CLASS_COUNT + DG_ALIGN; /* of a look */
    size_t fit = columns * sizeof(struct dg_segment) +
                 count * (2 * sizeof(int32_t) + sizeof(double) + 2 * sizeof(float) + DG_ORDER_BYTES);
    size_t line = dg_larger(held + dg_larger(look, in_columns + dg_larger(held, fit)), in_columns + strip);
    size_t lines = count * DG_PLACES_BYTES + dg_larger(count * DG_FINDING_BYTES, line);
    size_t reading = total * ((classes + 4) * sizeof(float) + sizeof(double) + sizeof(int32_t)) +
                     dg_classifying_bytes(width);
    size_t kept = total * (1 + 4 * sizeof(int32_t) + sizeof(double) + dg_larger(DG_ORDER_BYTES, DG_JOIN_BYTES));
    size_t written = total * (2 * sizeof(int32_t) + sizeof(struct digitocr_box) + sizeof(struct digitocr_number) +
                              sizeof(struct digitocr_digit) + 3);
    size_t characters =
        2 * total *
        (sizeof(struct dg_character) + sizeof(struct dg_group) + 2 + 2 * sizeof(double) + 4 * sizeof(int32_t) + 2);
    return found + dg_larger(seen + dg_larger(lines, reading), dg_larger(kept, written + characters));
}

size_t digitocr_read_bytes(int32_t width, int32_t height, const struct digitocr_options *options) {
    size_t most = 0, pixels, attempt, look;
    int32_t capacity, degrees, longest;
    if (!options || dg_check_size(width, height) || dg_check_options(options))
        return 0;
    pixels = (size_t)width * (size_t)height;
    capacity = dg_capacity(width, height);
    longest = dg_longest_strip(width, height);
    look = dg_look_bytes(longest);
    attempt = (size_t)capacity * (sizeof(struct digitocr_box) + ((size_t)digitocr_classes() + 2) * sizeof(float));
    for (degrees = 0; degrees <= 90; degrees++) {
        int32_t turned_width, turned_height;
        size_t bytes, others;
        int is_tried =
            options->rotate == DIGITOCR_ROTATE_AUTO
                ? degrees == 0 || degrees == 90 || (degrees <= DG_MAX_TILT && dg_may_be_level(width, height, degrees))
                : degrees == options->rotate % 180;
        if (!is_tried)
            continue;
        dg_turned_size(width, height, degrees, &turned_width, &turned_height);
        others = (size_t)(dg_attempts(options) - 1) * attempt;
        bytes = others + dg_detected_bytes(turned_width, turned_height, capacity);
        if (dg_attempts(options) == 2) /* one attempt is kept while its lines are read; of a turned picture all are */
            others = 0;
        bytes = dg_larger(bytes, others + dg_lines_bytes(turned_width, capacity, longest, look));
        /* upside down, which takes as much as upright but for the picture itself */
        bytes += dg_turn_bytes(width, height, degrees == 0 && options->rotate != 0 ? 180 : degrees);
        most = dg_larger(most, bytes);
    }
    return DG_SLACK + pixels + attempt + most;
}

int digitocr_read(const struct digitocr_picture *picture, const struct digitocr_options *options, void *arena,
                  size_t arena_bytes, struct digitocr_reading *reading) {
    struct digitocr_reading made;
    struct digitocr_picture plain;
    struct dg_reader reader;
    int error = dg_check_weights();
    if (error)
        return error;
    if (!options || !reading)
        return DIGITOCR_ERROR_ARGUMENT;
    error = dg_check_picture(picture);
    if (!error)
        error = dg_check_options(options);
    if (error)
        return error;
    memset(&made, 0, sizeof made);
    memset(&reader, 0, sizeof reader);
    reader.arena = dg_arena_of(arena, arena_bytes);
    reader.options = options;
    reader.classes = digitocr_classes();
    reader.capacity = dg_capacity(picture->width, picture->height);
    error = dg_unmasked(picture, &reader.arena, &plain);
    reader.picture = &plain;
    if (!error)
        error = plain.width == DIGITOCR_SIDE && plain.height == DIGITOCR_SIDE ? dg_read_lone(&reader, &made)
                                                                              : dg_read_picture(&reader, &made);
    if (!error)
        *reading = made;
    return error;
}

size_t digitocr_classify_box_bytes(int32_t width, int32_t height) {
    if (dg_check_size(width, height))
        return 0;
    return DG_SLACK + (size_t)width * (size_t)height + dg_classifying_bytes(width);
}

int digitocr_classify_box(const struct digitocr_picture *picture, const struct digitocr_box *box, float *probabilities,
                          void *arena, size_t arena_bytes) {
    struct digitocr_picture plain;
    struct dg_view view;
    struct dg_reader reader;
    float made[DIGITOCR_MAX_CLASSES];
    int error = dg_check_weights();
    if (error)
        return error;
    if (!box || !probabilities || !dg_is_box(box))
        return DIGITOCR_ERROR_ARGUMENT;
    error = dg_check_picture(picture);
    if (error)
        return error;
    memset(&reader, 0, sizeof reader);
    reader.arena = dg_arena_of(arena, arena_bytes);
    reader.classes = digitocr_classes();
    error = dg_unmasked(picture, &reader.arena, &plain);
    view = dg_view_of(&plain, 0, 0);
    if (!error)
        error = dg_classify_boxes(&reader, &view, box, 1, made);
    if (!error)
        memcpy(probabilities, made, (size_t)reader.classes * sizeof *made);
    return error;
}

DG_END_SMALL
