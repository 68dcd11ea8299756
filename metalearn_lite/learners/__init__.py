"""Every learner by name: ``from metalearn_lite.learners import MAML``.

``LEARNERS`` is the one list of them. Checkpoints, the tests of what every learner promises and the
documentation read it; a new learner is one line here. Those that play are in `metalearn_lite.rl`.
"""

from metalearn_lite.learners.anil import ANIL
from metalearn_lite.learners.batch_norm import NoNorm, PerStepNorm, SupportNorm
from metalearn_lite.learners.best_guess import BestGuess
from metalearn_lite.learners.classifier import FineTunedClassifier
from metalearn_lite.learners.elastic import ElasticPrototypes
from metalearn_lite.learners.follow_the_meta_leader import FollowTheLeader, FollowTheMetaLeader
from metalearn_lite.learners.hausdorff import ModifiedHausdorff
from metalearn_lite.learners.implicit_maml import ImplicitMAML
from metalearn_lite.learners.joint import JointTraining
from metalearn_lite.learners.learned_optimiser import LearnedOptimiser
from metalearn_lite.learners.least_squares import LeastSquares, StraightLine
from metalearn_lite.learners.maml import MAML
from metalearn_lite.learners.maml_plus_plus import MAMLPlusPlus
from metalearn_lite.learners.matching import MatchingNetwork
from metalearn_lite.learners.mean_of_networks import MeanOfNetworks
from metalearn_lite.learners.meta_sgd import MetaSGD
from metalearn_lite.learners.nearest_value import NearestValue
from metalearn_lite.learners.neural_process import ConditionalNeuralProcess
from metalearn_lite.learners.pixels import PixelNearestNeighbour
from metalearn_lite.learners.prior_fitted import PriorFittedNetwork
from metalearn_lite.learners.private_reptile import PrivateReptile
from metalearn_lite.learners.prototypes import PrototypicalNetwork
from metalearn_lite.learners.recurrent import RecurrentLearner
from metalearn_lite.learners.regularised import RegularisedMAML
from metalearn_lite.learners.relation import RelationNetwork
from metalearn_lite.learners.reptile import Reptile
from metalearn_lite.learners.reweighted import ReweightedMAML
from metalearn_lite.learners.ridge import Ridge
from metalearn_lite.learners.ridge_head import RidgeHead
from metalearn_lite.learners.robust_prototypes import RobustPrototypes
from metalearn_lite.learners.siamese import SiameseNetwork
from metalearn_lite.learners.simpleshot import SimpleShot
from metalearn_lite.learners.transfer import Transfer
from metalearn_lite.learners.transformer import TransformerLearner
from metalearn_lite.learners.worst_case import WorstCaseMAML

LEARNERS = {
    kind.__name__: kind
    for kind in (
        ANIL,
        BestGuess,
        ConditionalNeuralProcess,
        ElasticPrototypes,
        FineTunedClassifier,
        FollowTheLeader,
        FollowTheMetaLeader,
        ImplicitMAML,
        JointTraining,
        LearnedOptimiser,
        LeastSquares,
        MAML,
        MAMLPlusPlus,
        MatchingNetwork,
        MeanOfNetworks,
        MetaSGD,
        ModifiedHausdorff,
        NearestValue,
        NoNorm,
        PerStepNorm,
        PixelNearestNeighbour,
        PriorFittedNetwork,
        PrivateReptile,
        PrototypicalNetwork,
        RecurrentLearner,
        RegularisedMAML,
        RelationNetwork,
        Reptile,
        ReweightedMAML,
        RobustPrototypes,
        Ridge,
        RidgeHead,
        SiameseNetwork,
        SimpleShot,
        StraightLine,
        SupportNorm,
        Transfer,
        TransformerLearner,
        WorstCaseMAML,
    )
}
