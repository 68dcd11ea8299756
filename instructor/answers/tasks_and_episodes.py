"""Notebook 02: the reference answers, and known wrong ones with what the check says to them."""

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


def pick(images, classes, drawers):
    return images[classes[:, None], drawers].flatten(0, 1)


def support_and_query_drawn_separately(images, num_ways, num_shots, num_queries, generator):
    classes = torch.randperm(len(images), generator=generator)[:num_ways]
    halves = []
    for count in (num_shots, num_queries):
        drawers = torch.rand(num_ways, images.shape[1], generator=generator).argsort(1)
        labels = torch.arange(num_ways).repeat_interleave(count)
        halves.append((pick(images, classes, drawers[:, :count]), labels))
    return tuple(halves)


def classes_with_replacement(images, num_ways, num_shots, num_queries, generator):
    classes = torch.randint(len(images), (num_ways,), generator=generator)
    drawers = torch.rand(num_ways, images.shape[1], generator=generator).argsort(1)
    labels = torch.arange(num_ways)
    support = pick(images, classes, drawers[:, :num_shots]), labels.repeat_interleave(num_shots)
    late = drawers[:, num_shots : num_shots + num_queries]
    return support, (pick(images, classes, late), labels.repeat_interleave(num_queries))


def kept_the_characters_numbers(images, num_ways, num_shots, num_queries, generator):
    classes = torch.randperm(len(images), generator=generator)[:num_ways]
    drawers = torch.rand(num_ways, images.shape[1], generator=generator).argsort(1)
    support = pick(images, classes, drawers[:, :num_shots]), classes.repeat_interleave(num_shots)
    late = drawers[:, num_shots : num_shots + num_queries]
    return support, (pick(images, classes, late), classes.repeat_interleave(num_queries))


def numbered_each_half_by_itself(images, num_ways, num_shots, num_queries, generator):
    (support_x, support_y), (query_x, _) = sample_task(
        images, num_ways, num_shots, num_queries, generator
    )
    labels = torch.randperm(num_ways, generator=generator)
    return (support_x, support_y), (query_x, labels.repeat_interleave(num_queries))


def ignored_the_generator(images, num_ways, num_shots, num_queries, generator):
    return sample_task(images, num_ways, num_shots, num_queries, torch.Generator().manual_seed(
        int(torch.randint(2**30, ()))
    ))  # fmt: skip


def always_the_first_drawings(images, num_ways, num_shots, num_queries, generator):
    classes = torch.randperm(len(images), generator=generator)[:num_ways]
    drawers = torch.arange(images.shape[1]).expand(num_ways, -1)
    labels = torch.arange(num_ways)
    support = pick(images, classes, drawers[:, :num_shots]), labels.repeat_interleave(num_shots)
    late = drawers[:, num_shots : num_shots + num_queries]
    return support, (pick(images, classes, late), labels.repeat_interleave(num_queries))


def always_the_first_classes(images, num_ways, num_shots, num_queries, generator):
    return sample_task(images[:num_ways], num_ways, num_shots, num_queries, generator)


def only_one_half(images, num_ways, num_shots, num_queries, generator):
    return sample_task(images, num_ways, num_shots, num_queries, generator)[0]


# --- pulled_step ----------------------------------------------------------------------------


def pulled_step(params, gradients, lr, pull):
    return {
        name: value - lr * (gradients[name] + 2 * pull * (value - value.mean(0)))
        for name, value in params.items()
    }


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


def pulled_in_place(params, gradients, lr, pull):
    for name, value in params.items():
        value -= lr * (gradients[name] + 2 * pull * (value - value.mean(0)))
    return params


# --- leaks ----------------------------------------------------------------------------------


def leaks(train, test):
    def classes(characters):
        alphabets = [alphabet.partition("@")[0] for alphabet in characters.alphabets]
        return set(zip(alphabets, characters.names, strict=True))

    def drawings(characters):
        return {image.numpy().tobytes() for image in characters.images.flatten(0, 1)}

    apart = classes(train).isdisjoint(classes(test)) and drawings(train).isdisjoint(drawings(test))
    return not apart


def compared_names_only(train, test):
    return bool(set(train.names) & set(test.names))


def compared_alphabets_only(train, test):
    return bool(set(train.alphabets) & set(test.alphabets))


def took_labels_as_they_are(train, test):
    labels = [set(zip(side.alphabets, side.names, strict=True)) for side in (train, test)]
    return bool(labels[0] & labels[1])


def trusted_the_names(train, test):
    labels = [
        {(a.partition("@")[0], n) for a, n in zip(side.alphabets, side.names, strict=True)}
        for side in (train, test)
    ]
    return bool(labels[0] & labels[1])


def compared_drawings_only(train, test):
    drawings = [
        {image.numpy().tobytes() for image in side.images.flatten(0, 1)} for side in (train, test)
    ]
    return bool(drawings[0] & drawings[1])


def returned_what_is_shared(train, test):
    return set(train.alphabets) & set(test.alphabets)


def never_worried(train, test):
    return False


ANSWERS = {
    "02.sample_task": Answers(
        right=(sample_task,),
        wrong={
            support_and_query_drawn_separately: "both support and query",
            classes_with_replacement: "without replacement",
            kept_the_characters_numbers: "Number the classes of each task anew",
            numbered_each_half_by_itself: "number the classes once",
            ignored_the_generator: "hand generator to every random draw",
            always_the_first_drawings: "always holds the first drawings",
            always_the_first_classes: "same classes",
            only_one_half: "two pairs",
        },
    ),
    "02.pulled_step": Answers(
        right=(pulled_step,),
        wrong={
            forgot_the_pull: "no pull",
            pushed_away: "pushed",
            forgot_the_factor_two: "factor 2",
            pulled_to_zero: "towards zero",
            mean_of_everything: "over the networks only",
            forgot_their_own_gradients: "left out the networks' own gradients",
            pulled_without_lr: "without lr",
            pulled_in_place: "in place",
        },
    ),
    "02.leaks": Answers(
        right=(leaks,),
        wrong={
            compared_names_only: "A character is named by both",
            compared_alphabets_only: "different characters of one alphabet",
            took_labels_as_they_are: "turned by 90 degrees",
            trusted_the_names: "Names can lie",
            compared_drawings_only: "drawn by other people",
            returned_what_is_shared: "True or False",
            never_worried: "share everything",
        },
    ),
}
