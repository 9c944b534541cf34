"""Verbs in tools' names in German, Spanish, French, Italian and Portuguese, without accents."""

from __future__ import annotations

from aftershock.policy.words import words_of

READ = words_of("""
    abfragen abrufen anzeigen auflisten finden holen lesen pruefen suchen zeigen
    buscar comprobar consultar leer listar mostrar obtener verificar
    afficher chercher consulter lister obtenir rechercher verifier
    cercare consultare elencare leggere mostrare ottenere verificare
    ler obter pesquisar
""")
WRITE = words_of("""
    aendern aktualisieren anlegen bestellen bezahlen buchen erstellen schreiben senden speichern
    starten stornieren ueberweisen ueberweisung zahlen
    actualizar anular cambiar cancelar crear enviar escribir guardar pagar reservar transferir
    annuler creer ecrire enregistrer envoyer modifier reserver
    aggiornare annullare creare inviare modificare pagare prenotare salvare scrivere
    alterar atualizar criar gravar salvar
""")
DESTRUCTIVE = words_of("""
    loeschen borrar eliminar supprimer cancellare eliminare apagar excluir
""")
LEAVING = words_of("""
    bestellen bezahlen buchen ueberweisen ueberweisung zahlen zahlung
    enviar pagar pago transferencia envoyer paiement virement inviare pagare pagamento bonifico
""")
