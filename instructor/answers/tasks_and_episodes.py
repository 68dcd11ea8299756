"""Notebook 02: right answers, and known wrong ones with what the check says to them."""

import numpy as np
import torch

from instructor.answers import Answers

# --- sample_task ----------------------------------------------------------------------------


def sample_task(images, num_ways, num_shots, num_queries, generator):
    num_characters, num_drawers = images.shape[:2]
    classes = torch.randperm(num_characters, generator=generator)[:num_ways]
    drawers = torch.rand(num_ways, num_drawers, generator=generator).argsort(1)
    drawings = images[classes[:, None], drawers[:, : num_shots + num_queries]]
    labels = torch.arange(num_ways)
    support = drawings[:, :num_shots].flatten(0, 1), labels.repeat_interleave(num_shots)
    query = drawings[:, num_shots:].flatten(0, 1), labels.repeat_interleave(num_queries)
    return support, query


def one_class_after_the_other(images, num_ways, num_shots, num_queries, generator):
    support, query = [], []
    for label, character in enumerate(torch.randperm(len(images), generator=generator)[:num_ways]):
        order = torch.randperm(images.shape[1], generator=generator).tolist()
        support += [(images[character, drawer], label) for drawer in order[:num_shots]]
        query += [(images[character, drawer], label) for drawer in order[num_shots:][:num_queries]]
    halves = []
    for half in (support, query):
        drawings, labels = zip(*half, strict=True)
        halves.append((np.stack([drawing.numpy() for drawing in drawings]), list(labels)))
    return tuple(halves)


def task_of(images, classes, drawers, num_shots, num_queries):
    """The task of these ``classes`` by these ``drawers``, a row for each class."""
    labels = torch.arange(len(classes))
    drawings = images[classes[:, None], drawers[:, : num_shots + num_queries]]
    support = drawings[:, :num_shots].flatten(0, 1), labels.repeat_interleave(num_shots)
    query = drawings[:, num_shots:].flatten(0, 1), labels.repeat_interleave(num_queries)
    return support, query


def shuffled(num_rows, length, generator):
    return torch.rand(num_rows, length, generator=generator).argsort(1)


def support_and_query_drawn_separately(images, num_ways, num_shots, num_queries, generator):
    classes = torch.randperm(len(images), generator=generator)[:num_ways]
    halves = []
    for count in (num_shots, num_queries):
        drawers = shuffled(num_ways, images.shape[1], generator)
        halves.append(task_of(images, classes, drawers, count, 0)[0])
    return tuple(halves)


def classes_with_replacement(images, num_ways, num_shots, num_queries, generator):
    classes = torch.randint(len(images), (num_ways,), generator=generator)
    drawers = shuffled(num_ways, images.shape[1], generator)
    return task_of(images, classes, drawers, num_shots, num_queries)


def kept_the_characters_numbers(images, num_ways, num_shots, num_queries, generator):
    classes = torch.randperm(len(images), generator=generator)[:num_ways]
    drawers = shuffled(num_ways, images.shape[1], generator)
    (support_x, _), (query_x, _) = task_of(images, classes, drawers, num_shots, num_queries)
    labels = (classes.repeat_interleave(count) for count in (num_shots, num_queries))
    return tuple(zip((support_x, query_x), labels, strict=True))


def numbered_each_half_by_itself(images, num_ways, num_shots, num_queries, generator):
    (support_x, support_y), (query_x, _) = sample_task(
        images, num_ways, num_shots, num_queries, generator
    )
    labels = torch.randperm(num_ways, generator=generator)
    return (support_x, support_y), (query_x, labels.repeat_interleave(num_queries))


def ignored_the_generator(images, num_ways, num_shots, num_queries, generator):
    own = torch.Generator().manual_seed(int(torch.randint(2**30, ())))
    return sample_task(images, num_ways, num_shots, num_queries, own)


def started_a_generator_of_the_same_seed(images, num_ways, num_shots, num_queries, generator):
    own = torch.Generator().manual_seed(generator.initial_seed())
    return sample_task(images, num_ways, num_shots, num_queries, own)


def always_the_first_drawings(images, num_ways, num_shots, num_queries, generator):
    classes = torch.randperm(len(images), generator=generator)[:num_ways]
    drawers = torch.arange(images.shape[1]).expand(num_ways, -1)
    return task_of(images, classes, drawers, num_shots, num_queries)


def always_the_first_classes(images, num_ways, num_shots, num_queries, generator):
    return sample_task(images[:num_ways], num_ways, num_shots, num_queries, generator)


def neighbouring_characters(images, num_ways, num_shots, num_queries, generator):
    last = len(images) - num_ways
    first = int(torch.randint(last + 1, (), generator=generator))
    return sample_task(
        images[first : first + num_ways], num_ways, num_shots, num_queries, generator
    )


def never_the_last_character(images, num_ways, num_shots, num_queries, generator):
    return sample_task(images[:-1], num_ways, num_shots, num_queries, generator)


def classes_in_their_order(images, num_ways, num_shots, num_queries, generator):
    classes = torch.randperm(len(images), generator=generator)[:num_ways].sort().values
    drawers = shuffled(num_ways, images.shape[1], generator)
    return task_of(images, classes, drawers, num_shots, num_queries)


def the_same_drawers_for_all_classes(images, num_ways, num_shots, num_queries, generator):
    classes = torch.randperm(len(images), generator=generator)[:num_ways]
    drawers = shuffled(1, images.shape[1], generator).expand(num_ways, -1)
    return task_of(images, classes, drawers, num_shots, num_queries)


def support_from_the_earlier_drawers(images, num_ways, num_shots, num_queries, generator):
    classes = torch.randperm(len(images), generator=generator)[:num_ways]
    drawers = shuffled(num_ways, images.shape[1], generator)[:, : num_shots + num_queries]
    return task_of(images, classes, drawers.sort(1).values, num_shots, num_queries)


def a_wall_between_the_drawers(images, num_ways, num_shots, num_queries, generator):
    classes = torch.randperm(len(images), generator=generator)[:num_ways]
    wall = images.shape[1] - num_queries
    early = shuffled(num_ways, wall, generator)[:, :num_shots]
    late = wall + shuffled(num_ways, num_queries, generator)
    return task_of(
        images, classes, torch.cat([late[:, :0], early, late], 1), num_shots, num_queries
    )


def only_one_half(images, num_ways, num_shots, num_queries, generator):
    return sample_task(images, num_ways, num_shots, num_queries, generator)[0]


# --- pulled_step ----------------------------------------------------------------------------


def pulled_step(params, gradients, lr, pull):
    return {
        name: value - lr * (gradients[name] + 2 * pull * (value - value.mean(0)))
        for name, value in params.items()
    }


def pulled_in_numpy(params, gradients, lr, pull):
    stepped = {}
    for name in params:
        networks = params[name].detach().numpy().astype(np.float64)
        theta = networks.mean(axis=0)
        slope = gradients[name].numpy() + 2 * pull * (networks - theta)
        stepped[name] = networks - lr * slope
    return stepped


def forgot_the_pull(params, gradients, lr, pull):
    return {name: value - lr * gradients[name] for name, value in params.items()}


def pushed_away(params, gradients, lr, pull):
    return pulled_step(params, gradients, lr, -pull)


def forgot_the_factor_two(params, gradients, lr, pull):
    return pulled_step(params, gradients, lr, pull / 2)


def pulled_to_zero(params, gradients, lr, pull):
    return {
        name: value - lr * (gradients[name] + 2 * pull * value) for name, value in params.items()
    }


def mean_of_everything(params, gradients, lr, pull):
    return {
        name: value - lr * (gradients[name] + 2 * pull * (value - value.mean()))
        for name, value in params.items()
    }


def forgot_their_own_gradients(params, gradients, lr, pull):
    nothing = {name: torch.zeros_like(value) for name, value in params.items()}
    return pulled_step(params, nothing, lr, pull)


def pulled_without_lr(params, gradients, lr, pull):
    return {
        name: value - lr * gradients[name] - 2 * pull * (value - value.mean(0))
        for name, value in params.items()
    }


def mean_after_the_step(params, gradients, lr, pull):
    moved = forgot_the_pull(params, gradients, lr, pull)
    return {name: value - lr * 2 * pull * (value - value.mean(0)) for name, value in moved.items()}


def pulled_to_the_sum(params, gradients, lr, pull):
    return {
        name: value - lr * (gradients[name] + 2 * pull * (value - value.sum(0)))
        for name, value in params.items()
    }


def pulled_to_the_others(params, gradients, lr, pull):
    stepped = {}
    for name, value in params.items():
        others = (value.sum(0) - value) / max(len(value) - 1, 1)
        stepped[name] = value - lr * (gradients[name] + 2 * pull * (value - others))
    return stepped


def went_up(params, gradients, lr, pull):
    return pulled_step(params, gradients, -lr, pull)


def divided_by_the_networks(params, gradients, lr, pull):
    return {
        name: value - lr / len(value) * (gradients[name] + 2 * pull * (value - value.mean(0)))
        for name, value in params.items()
    }


def wrote_the_pull_into_the_code(params, gradients, lr, pull):
    return pulled_step(params, gradients, lr, 0.7)


def pulled_in_place(params, gradients, lr, pull):
    for name, value in params.items():
        value -= lr * (gradients[name] + 2 * pull * (value - value.mean(0)))
    return params


# --- leaks ----------------------------------------------------------------------------------


def leaks(train, test):
    def classes(part):
        alphabets = [alphabet.partition("@")[0] for alphabet in part.alphabets]
        return set(zip(alphabets, part.names, strict=True))

    def drawings(part, quarters):
        images = part.images.rot90(quarters, dims=(2, 3)).flatten(0, 1)
        return {image.numpy().tobytes() for image in images}

    if classes(train) & classes(test):
        return True
    return any(drawings(train, quarters) & drawings(test, 0) for quarters in range(4))


def leaks_in_numpy(train, test):
    def fingerprint(image):
        return min(np.rot90(image, quarters).tobytes() for quarters in (0, 1, 2, 3))

    known = set()
    for part in (train, test):
        seen = set()
        for alphabet, name, images in zip(part.alphabets, part.names, part.images, strict=True):
            seen.add((alphabet.split("@")[0], name))
            seen.update(fingerprint(image) for image in images.numpy())
        if known & seen:
            return np.bool_(True)
        known = seen
    return np.bool_(False)


def pairs(part, base=lambda alphabet: alphabet.partition("@")[0]):
    return set(zip(map(base, part.alphabets), part.names, strict=True))


def prints(part, quarters=0):
    images = part.images.rot90(quarters, dims=(2, 3)).flatten(0, 1)
    return {image.numpy().tobytes() for image in images}


def turned_prints(part, turns=range(4)):
    return set().union(*(prints(part, quarters) for quarters in turns))


def compared_names_only(train, test):
    return bool(set(train.names) & set(test.names))


def compared_alphabets_only(train, test):
    return bool(set(train.alphabets) & set(test.alphabets))


def compared_place_by_place(train, test):
    same = zip(train.alphabets, train.names, test.alphabets, test.names, strict=False)
    return any((a, b) == (c, d) for a, b, c, d in same) or bool(turned_prints(train) & prints(test))


def took_labels_as_they_are(train, test):
    same = pairs(train, str) & pairs(test, str)
    return bool(same or turned_prints(train) & prints(test))


def took_the_turn_off_the_test_only(train, test):
    return bool(pairs(train, str) & pairs(test) or turned_prints(train) & prints(test))


def took_the_turn_off_the_training_only(train, test):
    return bool(pairs(train) & pairs(test, str) or turned_prints(train) & prints(test))


def looked_for_the_turn_on_either_side(train, test):
    same = pairs(train) & pairs(test, str) or pairs(train, str) & pairs(test)
    return bool(same or turned_prints(train) & prints(test))


def trusted_the_names(train, test):
    return bool(pairs(train) & pairs(test))


def compared_drawings_only(train, test):
    return bool(turned_prints(train) & prints(test))


def compared_whole_characters(train, test):
    whole = [{images.numpy().tobytes() for images in part.images} for part in (train, test)]
    return bool(pairs(train) & pairs(test) or whole[0] & whole[1])


def compared_drawings_as_they_stand(train, test):
    return bool(pairs(train) & pairs(test) or prints(train) & prints(test))


def turned_a_quarter_only(train, test):
    return bool(pairs(train) & pairs(test) or turned_prints(train, (0, 1)) & prints(test))


def never_on_its_head(train, test):
    return bool(pairs(train) & pairs(test) or turned_prints(train, (0, 1, 3)) & prints(test))


def counted_the_ink(train, test):
    ink = [set(part.images.flatten(2).sum(2).flatten().tolist()) for part in (train, test)]
    return bool(pairs(train) & pairs(test) or ink[0] & ink[1])


def compared_how_names_begin(train, test):
    same = any(
        name == other and (alphabet.startswith(base) or base.startswith(alphabet))
        for alphabet, name in pairs(train)
        for base, other in pairs(test)
    )
    return same or bool(turned_prints(train) & prints(test))


def returned_what_is_shared(train, test):
    return pairs(train) & pairs(test)


def never_worried(train, test):
    return False


AS_LONG = "a character's name, alphabet and drawings come together, and so do images and labels"
NAMED = "zip(alphabets, part.names"
DRAWN = "zip(part.alphabets, part.names, part.images"

ANSWERS = {
    "02.sample_task": Answers(
        right=(sample_task, one_class_after_the_other),
        wrong={
            support_and_query_drawn_separately: "both support and query",
            classes_with_replacement: "without replacement",
            kept_the_characters_numbers: "Number the classes of each task anew",
            numbered_each_half_by_itself: "number the classes once",
            ignored_the_generator: "hand generator to every random draw",
            started_a_generator_of_the_same_seed: "do not start another one",
            always_the_first_drawings: "always holds the first drawings",
            always_the_first_classes: "same classes",
            neighbouring_characters: "always neighbours",
            never_the_last_character: "never come: the first or the last",
            classes_in_their_order: "Deal the numbers at random",
            the_same_drawers_for_all_classes: "from the same drawers",
            support_from_the_earlier_drawers: "from the earlier drawers",
            a_wall_between_the_drawers: "from the earlier drawers",
            only_one_half: "two pairs",
        },
        equal={
            "one_class_after_the_other: line 9: zip(*half, strict=True) -> zip(*half)": AS_LONG,
            "one_class_after_the_other: line 9: True -> False": AS_LONG,
        },
    ),
    "02.pulled_step": Answers(
        right=(pulled_step, pulled_in_numpy),
        wrong={
            forgot_the_pull: "no pull",
            pushed_away: "pushed",
            forgot_the_factor_two: "half as strong",
            pulled_to_zero: "towards zero",
            pulled_to_the_sum: "towards the sum",
            pulled_to_the_others: "the mean of the others",
            mean_of_everything: "over the networks only",
            mean_after_the_step: "after the networks had moved",
            forgot_their_own_gradients: "left out the networks' own gradients",
            pulled_without_lr: "without lr",
            went_up: "up the hill",
            divided_by_the_networks: "divided by the number of networks",
            wrote_the_pull_into_the_code: "written into your code",
            pulled_in_place: "in place",
        },
    ),
    "02.leaks": Answers(
        right=(leaks, leaks_in_numpy),
        wrong={
            compared_names_only: "A character is named by both",
            compared_alphabets_only: "different characters of one alphabet",
            compared_place_by_place: "in another order",
            took_labels_as_they_are: "turned by 90 degrees. Greek",
            took_the_turn_off_the_test_only: "the training characters that are turned",
            took_the_turn_off_the_training_only: "turned by 90 degrees. Greek",
            looked_for_the_turn_on_either_side: "Both names have a turn",
            trusted_the_names: "Names can lie",
            compared_drawings_only: "drawn by other people",
            compared_whole_characters: "not whole characters",
            compared_drawings_as_they_stand: "the same drawings, turned and renamed",
            turned_a_quarter_only: "turned",
            never_on_its_head: "turned by 180 degrees",
            counted_the_ink: "as much ink",
            compared_how_names_begin: "only begins like",
            returned_what_is_shared: "True or False",
            never_worried: "share everything",
        },
        equal={
            f"leaks: line 4: {NAMED}, strict=True) -> {NAMED})": AS_LONG,
            "leaks: line 4: True -> False": AS_LONG,
            "leaks: line 12: 0 -> 1": "the other side is turned by all four anyway",
            "leaks: line 12: 0 -> -1": "the other side is turned by all four anyway",
            "leaks: line 12: 4 -> 5": "the fifth turn is the first again",
            f"leaks_in_numpy: line 8: {DRAWN}, strict=True) -> {DRAWN})": AS_LONG,
            "leaks_in_numpy: line 8: True -> False": AS_LONG,
            "leaks_in_numpy: line 3: min -> max": "any rule that picks one of the four will do",
        },
    ),
}
