using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace OwnModel;

#region own-model
/// <summary>
/// Compresses signals to a narrow code. Fields of type <c>Module&lt;Tensor, Tensor&gt;</c> can be exchanged for
/// mixtures.
/// </summary>
internal sealed class Autoencoder : Module<Tensor, Tensor>
{
    private readonly Module<Tensor, Tensor> encoder;
    private readonly Module<Tensor, Tensor> decoder;

    public Autoencoder(long width, long hidden, long code)
        : base(nameof(Autoencoder))
    {
        encoder = Sequential(("inner", Linear(width, hidden)), ("gelu", GELU()), ("outer", Linear(hidden, code)));
        decoder = Sequential(("inner", Linear(code, hidden)), ("gelu", GELU()), ("outer", Linear(hidden, width)));
        RegisterComponents();
    }

    /// <summary>Parts that each pass one tensor to the next.</summary>
    public IReadOnlyList<Module<Tensor, Tensor>> Blocks => [encoder, decoder];

    public override Tensor forward(Tensor input)
    {
        using Tensor code = encoder.call(input);
        return decoder.call(code);
    }
}
#endregion
