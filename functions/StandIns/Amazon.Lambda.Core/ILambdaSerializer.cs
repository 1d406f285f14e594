namespace Amazon.Lambda.Core;

/// <summary>Reads events and writes results.</summary>
public interface ILambdaSerializer
{
    T Deserialize<T>(Stream requestStream);

    void Serialize<T>(T response, Stream responseStream);
}
