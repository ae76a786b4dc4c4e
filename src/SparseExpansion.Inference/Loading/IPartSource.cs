using SparseExpansion.Inference.Linears;

namespace SparseExpansion.Inference.Loading;

/// <summary>The source of the parts of a decoder, by the paths of their modules.</summary>
internal interface IPartSource
{
    /// <summary>A linear in any form.</summary>
    /// <param name="path">Module path.</param>
    /// <param name="rows">Output features.</param>
    /// <param name="columns">Input features.</param>
    /// <param name="bias">True if it has a bias.</param>
    Linear Linear(string path, int rows, int columns, bool bias);

    /// <summary>A linear or embedding that is no mixture.</summary>
    /// <param name="path">Module path.</param>
    /// <param name="rows">Output features.</param>
    /// <param name="columns">Input features.</param>
    /// <param name="bias">True if it has a bias.</param>
    MatrixLinear Matrix(string path, int rows, int columns, bool bias);

    /// <summary>A linear without bias that is neither a mixture nor in codes.</summary>
    /// <param name="path">Module path.</param>
    /// <param name="rows">Output features.</param>
    /// <param name="columns">Input features.</param>
    MatrixLinear Dense(string path, int rows, int columns);

    /// <summary>A small vector in float32.</summary>
    /// <param name="name">Name of the parameter.</param>
    /// <param name="size">Its length.</param>
    float[] Numbers(string name, int size);
}
