/* Uses libscicodec end to end, as a program in C would. Gives 0, or says which claim failed. */
#include <math.h>
#include <scicodec.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLAIM(what)                                                                                          \
    do {                                                                                                     \
        if (!(what)) {                                                                                       \
            fprintf(stderr, "line %d: %s: %s\n", __LINE__, #what, scicodec_last_error());                    \
            exit(1);                                                                                         \
        }                                                                                                    \
    } while (0)

enum { Z = 10, Y = 40, X = 50 };

static float field[Z][Y][X], whole[Z][Y][X], box[2][3][50];

static void encode_decode(const char *path) {
    scicodec_options *options;
    CLAIM(scicodec_options_new("abs=0.01", &options) == SCICODEC_STATUS_OK);
    CLAIM(scicodec_options_set_effort(options, "fast") == SCICODEC_STATUS_OK);
    CLAIM(scicodec_options_set_fill(options, -999) == SCICODEC_STATUS_OK);
    CLAIM(scicodec_options_set_name(options, "T", "K") == SCICODEC_STATUS_OK);
    CLAIM(scicodec_options_add_attribute(options, "long_name", "temperature") == SCICODEC_STATUS_OK);
    const uint64_t chunk[3] = {4, 40, 50};
    CLAIM(scicodec_options_set_chunk(options, 3, chunk) == SCICODEC_STATUS_OK);
    CLAIM(scicodec_options_set_threads(options, 1) == SCICODEC_STATUS_OK);
    CLAIM(scicodec_options_set_model(options, "none") == SCICODEC_STATUS_OK);

    const uint64_t shape[3] = {Z, Y, X};
    uint8_t *encoded;
    size_t encoded_bytes;
    CLAIM(scicodec_encode(options, SCICODEC_DTYPE_F32, 3, shape, field, &encoded, &encoded_bytes) == SCICODEC_STATUS_OK);
    CLAIM(encoded_bytes < sizeof field / 4);
    scicodec_options_free(options);

    FILE *out = fopen(path, "wb");
    CLAIM(out && fwrite(encoded, 1, encoded_bytes, out) == encoded_bytes && fclose(out) == 0);

    /* From memory, then from the file. */
    for (int k = 0; k < 2; k++) {
        scicodec_file *file;
        CLAIM((k ? scicodec_open(path, &file) : scicodec_open_bytes(encoded, encoded_bytes, &file)) == SCICODEC_STATUS_OK);
        CLAIM(scicodec_variable_count(file) == 1);
        size_t variable = 7;
        CLAIM(scicodec_find_variable(file, "T", &variable) == SCICODEC_STATUS_OK && variable == 0);
        scicodec_variable info;
        CLAIM(scicodec_describe(file, variable, &info) == SCICODEC_STATUS_OK);
        CLAIM(!strcmp(info.name, "T") && !strcmp(info.units, "K") && !strcmp(info.error_bound, "abs=0.01"));
        CLAIM(info.dtype == SCICODEC_DTYPE_F32 && info.rank == 3 && info.value_bytes == sizeof field);
        CLAIM(info.shape[0] == Z && info.shape[1] == Y && info.shape[2] == X && info.shape[3] == 0);
        CLAIM(info.chunk_shape[0] == 4 && info.encoded_bytes < encoded_bytes && info.named_dimensions == 0);
        const char *name, *value;
        CLAIM(info.attributes == 1 && scicodec_attribute(file, 0, 0, &name, &value) == SCICODEC_STATUS_OK);
        CLAIM(!strcmp(name, "long_name") && !strcmp(value, "temperature"));
        CLAIM(scicodec_attribute(file, 0, 1, &name, &value) == SCICODEC_STATUS_INVALID_ARGUMENT);
        CLAIM(scicodec_dimension(file, 0, 0, &name) == SCICODEC_STATUS_INVALID_ARGUMENT);

        CLAIM(scicodec_decode(file, variable, k, whole, sizeof whole) == SCICODEC_STATUS_OK);
        for (int z = 0; z < Z; z++)
            for (int y = 0; y < Y; y++)
                for (int x = 0; x < X; x++)
                    CLAIM(field[z][y][x] == -999 ? whole[z][y][x] == -999 : fabs(field[z][y][x] - whole[z][y][x]) <= 0.01);

        const uint64_t start[3] = {3, 20, 0}, extent[3] = {2, 3, 50};
        CLAIM(scicodec_decode_region(file, variable, start, extent, 1, box, sizeof box) == SCICODEC_STATUS_OK);
        for (int z = 0; z < 2; z++) CLAIM(!memcmp(box[z], whole[3 + z][20], sizeof box[z]));

        /* What makes no sense is refused in words. */
        CLAIM(scicodec_decode(file, 1, 0, whole, sizeof whole) == SCICODEC_STATUS_INVALID_ARGUMENT);
        CLAIM(scicodec_decode(file, 0, 0, whole, sizeof whole - 1) == SCICODEC_STATUS_INVALID_ARGUMENT);
        CLAIM(scicodec_decode(file, 0, 0, NULL, sizeof whole) == SCICODEC_STATUS_INVALID_ARGUMENT);
        const uint64_t outside[3] = {9, 20, 0};
        CLAIM(scicodec_decode_region(file, 0, outside, extent, 1, box, sizeof box) == SCICODEC_STATUS_INVALID_ARGUMENT);
        CLAIM(strstr(scicodec_last_error(), "not inside"));
        CLAIM(scicodec_find_variable(file, "U", &variable) == SCICODEC_STATUS_INVALID_ARGUMENT);
        CLAIM(strstr(scicodec_last_error(), "\"T\""));
        scicodec_close(file);
    }

    /* Damage and loss. */
    scicodec_file *file;
    CLAIM(scicodec_open_bytes(encoded, encoded_bytes - 1, &file) == SCICODEC_STATUS_CORRUPT);
    CLAIM(scicodec_open_bytes(encoded, 3, &file) == SCICODEC_STATUS_CORRUPT);
    CLAIM(scicodec_open_bytes(NULL, 0, &file) == SCICODEC_STATUS_CORRUPT);
    encoded[encoded_bytes / 2] ^= 1;
    CLAIM(scicodec_open_bytes(encoded, encoded_bytes, &file) == SCICODEC_STATUS_OK);
    CLAIM(scicodec_decode(file, 0, 0, whole, sizeof whole) == SCICODEC_STATUS_CORRUPT);
    scicodec_close(file);
    scicodec_bytes_free(encoded, encoded_bytes);
}

static void refuse(void) {
    scicodec_options *options;
    CLAIM(scicodec_options_new("best", &options) == SCICODEC_STATUS_INVALID_ARGUMENT);
    CLAIM(strstr(scicodec_last_error(), "expected abs=E"));
    CLAIM(scicodec_options_new(NULL, &options) == SCICODEC_STATUS_INVALID_ARGUMENT);
    CLAIM(scicodec_options_new("psnr=60", NULL) == SCICODEC_STATUS_INVALID_ARGUMENT);
    CLAIM(scicodec_options_new("psnr=60", &options) == SCICODEC_STATUS_OK);
    CLAIM(scicodec_options_set_effort(options, "most") == SCICODEC_STATUS_INVALID_ARGUMENT);
    CLAIM(scicodec_options_set_name(options, "\xff", "") == SCICODEC_STATUS_INVALID_ARGUMENT);
    const uint64_t shape[7] = {2, 3, 1, 1, 1, 1, 1};
    const int32_t values[6] = {0};
    uint8_t *encoded;
    size_t encoded_bytes;
    CLAIM(scicodec_encode(options, SCICODEC_DTYPE_I32, 2, shape, values, &encoded, &encoded_bytes) == SCICODEC_STATUS_INVALID_ARGUMENT);
    CLAIM(scicodec_encode(options, 11, 2, shape, values, &encoded, &encoded_bytes) == SCICODEC_STATUS_INVALID_ARGUMENT);
    CLAIM(scicodec_encode(options, SCICODEC_DTYPE_F32, 7, shape, values, &encoded, &encoded_bytes) == SCICODEC_STATUS_INVALID_ARGUMENT);
    CLAIM(scicodec_encode(options, SCICODEC_DTYPE_F32, 2, shape, NULL, &encoded, &encoded_bytes) == SCICODEC_STATUS_INVALID_ARGUMENT);
    const uint64_t huge[2] = {UINT64_MAX, UINT64_MAX};
    CLAIM(scicodec_encode(options, SCICODEC_DTYPE_F32, 2, huge, values, &encoded, &encoded_bytes) == SCICODEC_STATUS_INVALID_ARGUMENT);
    scicodec_options_free(options);
    scicodec_options_free(NULL);
    scicodec_bytes_free(NULL, 0);
    scicodec_close(NULL);
    CLAIM(scicodec_variable_count(NULL) == 0);
    scicodec_file *file;
    CLAIM(scicodec_open("/no/such/file.scz", &file) == SCICODEC_STATUS_IO);
}

int main(int count, char **words) {
    CLAIM(count == 2 && scicodec_last_error()[0] == 0);
    for (int z = 0; z < Z; z++)
        for (int y = 0; y < Y; y++)
            for (int x = 0; x < X; x++) field[z][y][x] = z == 2 && y < 9 ? -999 : (float)sin(0.1 * x + 0.2 * y) * (z + 1);
    encode_decode(words[1]);
    refuse();
    puts(scicodec_version());
    return 0;
}
