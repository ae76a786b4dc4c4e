using SparseExpansion.Expansion;
using SparseExpansion.Tensors;
using SparseExpansion.Testing;
using static TorchSharp.torch;

namespace SparseExpansion.Calibration.Capture;

public sealed class ActivationRecorderTests
{
    private static readonly string[] s_layers = ["blocks.1.down", "blocks.0.up", "blocks.0.gate"];

    [Fact]
    public void Groups_LayersThatReadTheSameTensor_AreOneGroupInOrderOfCalls()
    {
        using var scope = NewDisposeScope();
        ActivationRecorder recorder = ActivationRecorder.Create(new GatedModel(), s_layers, Inputs());
        Assert.Equal([["blocks.0.gate", "blocks.0.up"], ["blocks.1.down"]], recorder.Groups);
    }

    [Fact]
    public void Record_FirstGroup_IsTheModelsInput()
    {
        using var scope = NewDisposeScope();
        CalibrationBatch[] inputs = Inputs();
        ActivationRecorder recorder = ActivationRecorder.Create(new GatedModel(), s_layers, inputs);
        using ActivationStore tokens = recorder.Record(0, inputs);
        Tensor expected = cat([.. inputs.Select(batch => batch.Input.reshape(-1, GatedModel.Width))]);
        Tensor seen = cat([.. tokens.ReadChunks(10, CPU)]);
        Assert.Equal((expected.shape[0], GatedModel.Width), (tokens.TokenCount, tokens.Features));
        Assert.True(seen.equal(expected).all().item<bool>());
    }

    [Fact]
    public void Record_InnerGroup_ExplainsTheLayersOutput()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        CalibrationBatch[] inputs = Inputs(1);
        var model = new GatedModel(1);
        ActivationRecorder recorder = ActivationRecorder.Create(model, ["blocks.0.down"], inputs);
        using ActivationStore tokens = recorder.Record(0, inputs);
        Tensor down = model.blocks[0].named_children().Single(entry => entry.name == "down").module is nn.Module<Tensor, Tensor> module
            ? module.call(cat([.. tokens.ReadChunks(1000, CPU)]))
            : throw new InvalidOperationException();
        Tensor expected = model.blocks[0].call(inputs[0].Input) - inputs[0].Input;
        Assert.True(down.reshape(expected.shape).allclose(expected, 1e-4, 1e-5));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Dispose_OfRecordedTokens_IsFollowedByErrors(bool spilled)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var tokens = new ActivationStore(spilled ? folder.Path : null);
        tokens.Add(ones(3, 2), null, "up");
        Assert.Equal((3L, 2), (tokens.TokenCount, tokens.Features));
        tokens.Dispose();
        tokens.Dispose();

        Assert.Throws<ObjectDisposedException>(() => tokens.TokenCount);
        Assert.Throws<ObjectDisposedException>(() => tokens.Features);
        Assert.Throws<ObjectDisposedException>(() => tokens.ReadChunks(1, CPU));
        Assert.Throws<ObjectDisposedException>(() => tokens.Gather([0], CPU));
        Assert.Throws<ObjectDisposedException>(() => tokens.Add(ones(3, 2), null, "up"));
    }

    [Fact]
    public void Record_Mask_LeavesPaddingOut()
    {
        using var scope = NewDisposeScope();
        CalibrationBatch[] inputs = Inputs(1);
        Tensor mask = ones(inputs[0].Input.shape[..2], ScalarType.Bool);
        mask[0] = false;
        ActivationRecorder recorder = ActivationRecorder.Create(new GatedModel(), s_layers, inputs);
        using ActivationStore tokens = recorder.Record(0, [new CalibrationBatch(inputs[0].Input, mask)]);
        Assert.Equal(inputs[0].Input.shape[1], tokens.TokenCount);
    }

    [Fact]
    public void Record_TrainingModel_KeepsItsMode()
    {
        using var scope = NewDisposeScope();
        var model = new GatedModel();
        model.train();
        CalibrationBatch[] inputs = Inputs();
        using ActivationStore tokens = ActivationRecorder.Create(model, s_layers, inputs).Record(1, inputs);
        Assert.True(model.training);
        Assert.True(tokens.Features == GatedModel.Hidden);
    }

    [Fact]
    public void Create_BadLayers_NamesThem()
    {
        using var scope = NewDisposeScope();
        var model = new GatedModel();
        Assert.Contains("blocks.9.up", Assert.Throws<ArgumentException>(() => ActivationRecorder.Create(model, ["blocks.9.up"], Inputs())).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => ActivationRecorder.Create(model, [], Inputs()));
        Assert.Throws<ArgumentNullException>(() => ActivationRecorder.Create(null!, s_layers, Inputs()));
        ActivationRecorder recorder = ActivationRecorder.Create(model, s_layers, Inputs());
        Assert.Throws<ArgumentOutOfRangeException>(() => recorder.Record(2, Inputs()));
        Assert.Throws<ArgumentOutOfRangeException>(() => recorder.Record(-1, Inputs()));
    }

    [Fact]
    public void NoToken_IsAnErrorThatNamesTheLayer()
    {
        using var scope = NewDisposeScope();
        var model = new GatedModel();
        Assert.Contains("blocks.1.down", Assert.Throws<CalibrationException>(() => ActivationRecorder.Create(model, s_layers, [])).Message, StringComparison.Ordinal);
        CalibrationBatch[] inputs = Inputs(1);
        ActivationRecorder recorder = ActivationRecorder.Create(model, s_layers, inputs);
        Assert.Contains("blocks.1.down", Assert.Throws<CalibrationException>(() => recorder.Record(1, [])).Message, StringComparison.Ordinal);
        CalibrationBatch padding = new(inputs[0].Input, zeros(inputs[0].Input.shape[..2], ScalarType.Bool));
        Assert.Contains("blocks.0.gate", Assert.Throws<CalibrationException>(() => recorder.Record(0, [padding])).Message, StringComparison.Ordinal);
        CalibrationBatch broken = inputs[0].Input * Scalars.Of(float.NaN);
        Assert.Contains("blocks.0.gate", Assert.Throws<CalibrationException>(() => recorder.Record(0, [broken])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Record_Cancelled_Stops()
    {
        using var scope = NewDisposeScope();
        CalibrationBatch[] inputs = Inputs();
        ActivationRecorder recorder = ActivationRecorder.Create(new GatedModel(), s_layers, inputs);
        Assert.Throws<OperationCanceledException>(() => recorder.Record(0, inputs, new CancellationToken(canceled: true)));
    }

    [Fact]
    public void Record_Disposed_LeavesNoTensors()
    {
        using var scope = NewDisposeScope();
        var model = new GatedModel();
        CalibrationBatch[] inputs = Inputs();
        LeakCheck.NoTensorsLeft(() =>
        {
            ActivationRecorder recorder = ActivationRecorder.Create(model, s_layers, inputs);
            for (int group = 0; group < recorder.Groups.Count; group++)
            {
                using ActivationStore tokens = recorder.Record(group, inputs);
            }
        });
    }

    private static CalibrationBatch[] Inputs(int count = 3) => [.. GatedModel.Batches(count).Select(input => new CalibrationBatch(input))];
}
