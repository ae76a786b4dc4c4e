using OwnModel;
using SparseExpansion;
using SparseExpansion.Execution;
using SparseExpansion.Expansion;
using SparseExpansion.Expansion.Checkpoints;
using SparseExpansion.Expansion.FineTuning;
using SparseExpansion.Expansion.Reports;
using SparseExpansion.Expansion.SmallExperts;
using SparseExpansion.Pruning;
using SparseExpansion.Pruning.Alps;
using SparseExpansion.Pruning.SparseGpt;
using SparseExpansion.Pruning.Targets;
using SparseExpansion.Routing;
using SparseExpansion.Routing.Clustering;
using SparseExpansion.Serialization;
using SparseExpansion.Serialization.Expanded;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

OpenMPWaiting.UsePassive(); // before any other use of torch: its waiting threads then do not starve others
manual_seed(1);
using var signals = new Signals(families: 8, width: 64, dimensions: 4);
using var model = new Autoencoder(width: 64, hidden: 256, code: 16);
Training.Run(model, signals, steps: 800);

using Tensor calibration = signals.Draw(8_192);
using Tensor test = signals.Draw(2_048);
Console.WriteLine("Lost variance of an autoencoder at 60 % sparsity");
Console.WriteLine($"  dense       {Training.LostVariance(model, test):P2}");

using (ExpansionResult pruned = Expand(model, calibration, experts: 1))
{
    Console.WriteLine($"  one expert  {Training.LostVariance(model, test):P2}");
    pruned.Revert();
}

using (ExpansionResult better = ExpandBeyondThePaper(model, calibration, experts: 8))
{
    Console.WriteLine($"  8 experts, with everything that helps  {Training.LostVariance(model, test):P2}");
    better.Revert();
}

using ExpansionResult expanded = Expand(model, calibration, experts: 8);
Console.WriteLine($"  8 experts   {Training.LostVariance(model, test):P2}");
foreach (LayerReport layer in expanded.Report.Layers)
{
    Console.WriteLine($"    {layer.Name,-14}  {layer.Experts} experts, sparsity {layer.Sparsity:P1}, output error {layer.OutputError:P2}");
}

string folder = Path.Combine(Path.GetTempPath(), $"own-model-{Environment.ProcessId}");
try
{
    using Autoencoder loaded = SaveAndLoad(expanded, folder);
    using (no_grad())
    {
        using Tensor before = model.call(test), after = loaded.call(test);
        Console.WriteLine(
            $"Saved, loaded: outputs are {(before.allclose(after, rtol: 0, atol: 0) ? "equal" : "DIFFERENT")}.");
    }

    TrainOn(expanded, model, signals);
    Console.WriteLine($"  trained on  {Training.LostVariance(model, test):P2}");
    expanded.Revert();
    ExpandWithAStore(model, calibration, folder, unfinished: folder + ".unfinished", CancellationToken.None);
}
finally
{
    Directory.Delete(folder, recursive: true);
}

static ExpansionResult Expand(Autoencoder model, Tensor calibration, int experts)
{
    #region expand-own-model
    return model.Expand()
        .Targets("encoder.*", "decoder.*")
        .RouteWith(new PcaKMeansOptions { Experts = experts, PcaReduction = null })
        .PruneWith(new SparseGptSparsifier(), SparsityTarget.Unstructured(0.6))
        .CalibrateOn(() => calibration.split(1_024))
        .WithSeed(1)
        .Run();
    #endregion
}

static ExpansionResult ExpandBeyondThePaper(Autoencoder model, Tensor calibration, int experts)
{
    #region beyond-the-paper
    return model.Expand()
        .Targets("encoder.*", "decoder.*")
        .RouteWith(new PcaKMeansOptions { Experts = experts, PcaReduction = null })
        .PruneWith(new AlpsSparsifier(), SparsityTarget.Unstructured(0.6)) // or any other pruner, with .WithRefit()
        .RefineRouter() // routers learn from the errors of their experts
        .WithExpertStatistics(new ExpertStatisticsOptions { Shrinkage = Shrinkage.HeldOut() }) // for experts with few tokens
        .CompensateErrors() // experts compensate for the losses of earlier layers
        .FineTune(new FineTuningOptions { Steps = 200 }) // kept weights are fitted to the dense model's outputs
        .CalibrateOn(() => calibration.split(1_024))
        .WithSeed(1)
        .Run();
    #endregion
}

static void ExpandWithAStore(
    Autoencoder model, Tensor calibration, string folder, string unfinished, CancellationToken cancellationToken)
{
    #region store-and-resume
    using FolderExpansionStore store = FolderExpansionStore.Open(unfinished); // of an earlier run, or empty
    using ExpansionResult result = model.Expand()
        .Blocks(m => m.Blocks)
        .RouteWith(new PcaKMeansOptions { Experts = 8, PcaReduction = null })
        .PruneWith(new AlpsSparsifier(), SparsityTarget.Unstructured(0.6))
        .FineTune(new FineTuningOptions { Steps = 200 })
        .CalibrateOn(() => calibration.split(1_024))
        .ResumeFrom(store)
        .Run(step => Console.Error.Write($"\r{step.Fraction:P0}"), cancellationToken);
    result.Save(folder, overwrite: true);
    store.Delete();
    #endregion
}

static void TrainOn(ExpansionResult result, Autoencoder model, Signals signals)
{
    #region train-on
    using (var optimizer = new AdamOptimizer(result.Unfreeze())) // or any other, for the parameters of all layers
    {
        Training.Run(model, optimizer, signals, steps: 100);
    }

    result.Freeze().Pack();
    #endregion
}

static Autoencoder SaveAndLoad(ExpansionResult result, string folder)
{
    #region save-and-load
    result.Save(folder);

    var fresh = new Autoencoder(width: 64, hidden: 256, code: 16);
    ExpandedModel.Load(fresh, folder);
    #endregion
    return fresh;
}
