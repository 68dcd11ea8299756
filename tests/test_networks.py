import pytest
import torch
from torch import nn
from truths import generator

from benchmarks.convolutional_meta_training_step import as_module
from metalearn_lite import interop
from metalearn_lite.networks import MLP, ConvClassifier, ConvNet, Network, beside, lengths


def test_mlp_equals_torch():
    network = MLP(3, 8, 6, 2)
    params = network.init(generator())
    x = torch.randn(4, 5, 3, generator=generator(1))
    torch.testing.assert_close(network(params, x), interop.to_module(network, params)(x))


def test_a_task_axis_gives_every_task_its_own_network():
    network = MLP(2, 8, 3)
    each = [network.init(generator(seed)) for seed in range(4)]
    x = torch.randn(4, 5, 2, generator=generator(9))
    stacked = {name: torch.stack([params[name] for params in each]) for name in each[0]}
    together = network(stacked, x)
    assert together.shape == (4, 5, 3)
    for task, params in enumerate(each):
        torch.testing.assert_close(together[task], network(params, x[task : task + 1])[0])


def test_one_output_drops_its_axis_and_images_are_flattened():
    network = MLP(784, 4, 1)
    x = torch.rand(2, 3, 1, 28, 28, generator=generator())
    assert network(network.init(generator()), x).shape == (2, 3, 1)


def test_to_module_and_back():
    network = MLP(2, 8, 3)
    params = network.init(generator())
    back = interop.from_module(interop.to_module(network, params))
    assert all(torch.equal(back[name], params[name]) for name in params)


def test_init_depends_on_the_generator_alone():
    for network in (MLP(2, 3, 1), ConvNet((8, 8)), ConvClassifier(5, 4)):
        one, two = (network.init(generator(3)) for _ in range(2))
        other = network.init(generator(4))
        assert all(torch.equal(one[name], two[name]) for name in one)
        assert any(not torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [(MLP, (2, 3, 1)), (ConvNet, ((8, 16), "batch", 0)), (ConvClassifier, (3, 8))],
)
def test_settings_are_what_a_network_is_made_with(kind: type[Network], settings):
    network = kind(*settings)
    assert network.settings == settings
    assert vars(kind(*network.settings)) == vars(network)


@pytest.mark.parametrize("norm", ["group", "batch"])
def test_convnet_equals_torch_modules(norm):
    network = ConvNet((8, 16, 16, 16), norm)
    params = network.init(generator())
    params = {n: v + 0.1 * torch.randn(v.shape, generator=generator(2)) for n, v in params.items()}
    layers, inputs = [], 1
    for block, width in enumerate(network.channels, 1):
        convolution = nn.Conv2d(inputs, width, 3, padding=1, bias=False)
        convolution.weight.data = params[f"weight{block}"].view(width, inputs, 3, 3)
        layer = nn.BatchNorm2d(width) if norm == "batch" else nn.GroupNorm(8, width)
        layer.weight.data, layer.bias.data = params[f"scale{block}"], params[f"shift{block}"]
        pool = [nn.MaxPool2d(2)] if block < 4 else []
        layers += [convolution, *pool, layer, nn.ReLU()]
        inputs = width
    x = torch.rand(2, 5, 1, 28, 28, generator=generator(1))
    expected = nn.Sequential(*layers)(x.flatten(0, 1)).flatten(1).unflatten(0, (2, 5))
    torch.testing.assert_close(network(params, x), expected, rtol=1e-4, atol=1e-5)


def test_frozen_equals_batch_on_the_images_it_was_frozen_on():
    network = ConvNet((8, 8, 8), "batch")
    params = network.init(generator())
    x = torch.rand(1, 30, 1, 28, 28, generator=generator(1))
    frozen, fixed = network.freeze(params, x)
    torch.testing.assert_close(frozen(fixed, x), network(params, x), rtol=1e-3, atol=1e-4)
    one = frozen(fixed, x[:, :1])
    torch.testing.assert_close(one, frozen(fixed, x)[:, :1])
    assert {n: v.shape for n, v in fixed.items()} == {n: v.shape for n, v in params.items()}


def classifiers(num_tasks: int) -> tuple[ConvClassifier, list[dict], dict]:
    """A network, each task's own parameters, and all of them with a task axis."""
    network = ConvClassifier(3, 8)
    each = []
    for seed in range(num_tasks):
        noise = generator(100 + seed)
        params = network.init(generator(seed))
        each.append({n: v + 0.1 * torch.randn(v.shape, generator=noise) for n, v in params.items()})
    return network, each, {name: torch.stack([params[name] for params in each]) for name in each[0]}


@pytest.mark.parametrize("size", [(28, 28), (7, 10)])
def test_classifier_equals_torch_modules(size):
    """More images than are taken at once, and every task by its own parameters and statistics."""
    network, each, stacked = classifiers(7)
    x = torch.rand(7, 17, 1, *size, generator=generator(9))
    together = network(stacked, x)
    assert together.shape == (7, 17, 3)
    for task, params in enumerate(each):
        expected = as_module(params)(x[task])
        torch.testing.assert_close(together[task], expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(network(each[0], x)[0], together[0])


def test_a_prediction_depends_on_its_neighbours():
    network, _, stacked = classifiers(2)
    x = torch.rand(2, 15, 1, 28, 28, generator=generator(9))
    few, all_images = network(stacked, x[:, :5]), network(stacked, x)
    assert (few - all_images[:, :5]).abs().max() > 0.1


def test_with_statistics_every_image_is_judged_alone():
    network, _, stacked = classifiers(2)
    x = torch.rand(2, 15, 1, 28, 28, generator=generator(9))
    fixed = stacked | network.statistics(stacked, x)
    torch.testing.assert_close(network(fixed, x), network(stacked, x), rtol=1e-4, atol=1e-5)
    for image in range(3):
        alone = network(fixed, x[:, image : image + 1])
        torch.testing.assert_close(alone, network(fixed, x)[:, image : image + 1])


def test_statistics_are_those_of_the_first_convolution():
    network, each, stacked = classifiers(2)
    x = torch.rand(2, 15, 1, 28, 28, generator=generator(9))
    measured = network.statistics(stacked, x)
    for task, params in enumerate(each):
        variance, mean = torch.var_mean(as_module(params)[0](x[task]), (0, 2, 3), correction=0)
        torch.testing.assert_close(measured["mean1"][task], mean)
        torch.testing.assert_close(measured["variance1"][task], variance, rtol=1e-4, atol=1e-5)


def test_bad_settings_are_named():
    with pytest.raises(ValueError, match="norm='layer'"):
        ConvNet((8,), "layer")
    with pytest.raises(ValueError, match="an input and an output"):
        MLP(3)


def test_a_tasks_length_is_over_all_its_tensors_and_meets_each_of_them():
    values = [torch.tensor([[3.0], [0.0]]), torch.tensor([[[4.0, 0.0]], [[0.0, 2.0]]])]
    assert lengths(values).tolist() == [5.0, 2.0]
    units = [value / beside(value, lengths(values)) for value in values]
    assert lengths(units).tolist() == [1.0, 1.0]
    assert [unit.shape for unit in units] == [value.shape for value in values]
